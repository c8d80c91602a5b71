#pragma once
#include <chrono>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <weft/detail/channel_base.hpp>
#include <weft/detail/time.hpp>

namespace weft {
namespace detail {
template <class T>
inline constexpr value_type value_type_of{
    sizeof(T), alignof(T),
    [](void* slot, void* from) noexcept { ::new (slot) T(std::move(*static_cast<T*>(from))); },
    std::is_trivially_destructible_v<T>
        ? nullptr
        : +[](void* slot) noexcept { std::destroy_at(static_cast<T*>(slot)); }};

template <class T>
destination into_optional(std::optional<T>& to) noexcept {
  return {&to, [](void* place, void* from) noexcept {
            static_cast<std::optional<T>*>(place)->emplace(std::move(*static_cast<T*>(from)));
          }};
}

// Assigns where that cannot fail; else the old value makes place for the new one.
template <class T>
destination into_value(T& to) noexcept {
  return {std::addressof(to), [](void* place, void* from) noexcept {
            T& old = *static_cast<T*>(place);
            if constexpr (std::is_nothrow_move_assignable_v<T>) {
              old = std::move(*static_cast<T*>(from));
            } else {
              std::destroy_at(std::addressof(old));
              ::new (place) T(std::move(*static_cast<T*>(from)));
            }
          }};
}
}  // namespace detail

/// A queue of values between fibers and kernel threads, mixed, of any runtimes or none; Go's chan.
/// A channel of capacity 0 is a rendezvous: a value goes from the sender straight to the receiver,
/// and send() returns when it is there. One of capacity n holds up to n values whose senders have
/// gone on. Values of one sender arrive in order, each once; who waits is served in order.
///
/// T is nothrow move constructible and nothrow destructible; it need not be copyable. Moving a
/// value must be short, and must neither park nor use the channel: it may happen on any thread,
/// with the channel's lock held. 64 bytes and, where there is a capacity, one allocation, made by
/// the constructor.
///
/// send, receive, their timed forms and the loop over the channel are cancellation points: asked to
/// stop, or with an expired deadline_scope, they throw on entry or out of their wait, and have
/// moved nothing then. try_send and try_receive are not.
///
/// What is sent happens before it is received; the k-th value's receipt happens before the send of
/// value k + capacity returns; close() happens before what tells of it.
///
/// Whoever has received the last value, or the end, may destroy the channel, even if send() or
/// close() has not yet returned to its caller: an answer may be waited for on a channel that is a
/// local variable.
/// close() ends it: senders, those that wait included, are told so, receivers get what is buffered
/// and then the end; a second time it does nothing. closed() tells whether it was, capacity() how
/// many values it holds at most, size() how many now. None of them parks.
///
/// A forked child may use a channel, and destroy it, only if no other thread was at work on it when
/// the process forked: in a call of it, or a select with it, be that just beginning or ending a
/// wait. Otherwise the child may find it locked, and hang, or half changed. Who was waiting does
/// not count: he stays in the parent, and the child gives him nothing. Of the synchronisation
/// objects (mutex, event, future and so on) the child may use all.
/// @code
/// weft::channel<int> numbers(16);
/// weft::fiber producer([&] {
///   for (int i = 0; i < 100; ++i) numbers.send(i);
///   numbers.close();
/// });
/// for (int n : numbers) use(n);
/// @endcode
template <class T>
class channel : public detail::channel_base {
  static_assert(std::is_object_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T> &&
                    !std::is_array_v<T>,
                "weft::channel<T>: T is the type of a value");
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>,
                "weft::channel<T>: moving and destroying a T must not throw, because a value that "
                "is on its way would be lost; send a std::unique_ptr<T> instead");

 public:
  /// What is sent.
  using value_type = T;
  class iterator;

  /// 0: a rendezvous. At most 2^32 - 1.
  /// @throws std::bad_alloc; std::length_error when the capacity is too large
  explicit channel(std::size_t capacity = 0) : channel_base(capacity, detail::value_type_of<T>) {}
  /// Nobody may wait: ends the process with a line that names who does. Values that were not
  /// received are destroyed.
  ~channel() = default;

  /// Waits until somebody receives the value, or there is a place for it. False: the channel is
  /// closed, perhaps meanwhile, and `value` is untouched. It is moved from only when it was sent.
  /// @throws operation_canceled, deadline_exceeded, as every cancellation point; on a kernel
  /// thread's first wait also std::system_error
  bool send(T&& value) {
    return channel_base::send(std::addressof(value), never) == channel_status::ok;
  }
  /// Sends a copy.
  bool send(const T& value) requires std::copy_constructible<T> { return send(T(value)); }
  /// Sends if that can be done at once: ok, full or closed. Never parks.
  channel_status try_send(T&& value) noexcept {
    return channel_base::try_send(std::addressof(value));
  }
  /// The same with a copy.
  channel_status try_send(const T& value) requires std::copy_constructible<T> {
    return try_send(T(value));
  }
  /// Waits no longer than that: ok, closed or timeout. Zero and negative durations try once.
  /// @throws std::bad_alloc when there is no memory for a timer; otherwise as send()
  template <class R, class P>
  channel_status try_send_for(T&& value, const std::chrono::duration<R, P>& limit) {
    return channel_base::send(std::addressof(value), detail::deadline_after(limit));
  }
  /// The same with a copy.
  template <class R, class P>
  channel_status try_send_for(const T& value, const std::chrono::duration<R, P>& limit) requires
      std::copy_constructible<T> {
    return try_send_for(T(value), limit);
  }
  /// The same until that time. Clocks of the world are looked at again after the wait.
  template <class C, class D>
  channel_status try_send_until(T&& value, const std::chrono::time_point<C, D>& time) {
    return until(time,
                 [&](std::int64_t at) { return channel_base::send(std::addressof(value), at); });
  }
  /// The same with a copy.
  template <class C, class D>
  channel_status try_send_until(const T& value, const std::chrono::time_point<C, D>& time) requires
      std::copy_constructible<T> {
    return try_send_until(T(value), time);
  }

  /// Waits for a value. nullopt: the channel is closed, and all its values have been received.
  /// @throws as send()
  std::optional<T> receive() {
    std::optional<T> value;
    channel_base::receive(detail::into_optional(value), never);
    return value;
  }
  /// Receives if there is a value now: ok, empty or closed. Else `value` is untouched. Never parks.
  channel_status try_receive(T& value) noexcept {
    return channel_base::try_receive(detail::into_value(value));
  }
  /// Waits no longer than that: ok, closed or timeout; `value` is untouched unless ok. Zero and
  /// negative durations try once.
  /// @throws as try_send_for()
  template <class R, class P>
  channel_status try_receive_for(T& value, const std::chrono::duration<R, P>& limit) {
    return channel_base::receive(detail::into_value(value), detail::deadline_after(limit));
  }
  /// The same until that time.
  template <class C, class D>
  channel_status try_receive_until(T& value, const std::chrono::time_point<C, D>& time) {
    return until(time, [&](std::int64_t at) {
      return channel_base::receive(detail::into_value(value), at);
    });
  }
  /// The same for a T that has no value to begin with.
  channel_status try_receive(std::optional<T>& value) noexcept {
    return channel_base::try_receive(detail::into_optional(value));
  }
  /// The same, waiting no longer than that.
  template <class R, class P>
  channel_status try_receive_for(std::optional<T>& value,
                                 const std::chrono::duration<R, P>& limit) {
    return channel_base::receive(detail::into_optional(value), detail::deadline_after(limit));
  }
  /// The same, until that time.
  template <class C, class D>
  channel_status try_receive_until(std::optional<T>& value,
                                   const std::chrono::time_point<C, D>& time) {
    return until(time, [&](std::int64_t at) {
      return channel_base::receive(detail::into_optional(value), at);
    });
  }

  /// Receives until the channel is closed and drained: `for (auto& value : c)`. Any number of such
  /// loops may share a channel.
  iterator begin() { return iterator(*this); }
  /// The end of every such loop.
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  static constexpr std::int64_t never = detail::no_deadline;

  template <class C, class D, class Attempt>
  static channel_status until(const std::chrono::time_point<C, D>& time, Attempt attempt) {
    channel_status status = channel_status::timeout;
    detail::wait_until(time, [&](std::int64_t deadline) {
      status = attempt(deadline);
      return status != channel_status::timeout;
    });
    return status;
  }
};

/// An input iterator [input.iterators] over what is received; holds the latest value.
template <class T>
class channel<T>::iterator {
 public:
  /// As input iterators have it.
  using value_type = T;
  /// Never computed.
  using difference_type = std::ptrdiff_t;
  /// Iterators of C++20; one whose values move cannot be one of C++17.
  using iterator_concept = std::input_iterator_tag;

  /// Receives the first value.
  explicit iterator(channel& from) : from_(&from) { ++*this; }
  /// The other one may only be destroyed or assigned to.
  iterator(iterator&&) = default;
  /// The same.
  iterator& operator=(iterator&&) = default;

  /// The value, which may be moved from.
  T& operator*() const noexcept { return *value_; }
  /// Receives the next one. A cancellation point.
  iterator& operator++() {
    if (from_->channel_base::receive(detail::into_optional(value_), never) ==
        channel_status::closed) {
      value_.reset();
    }
    return *this;
  }
  /// The same.
  void operator++(int) { ++*this; }
  /// At the end: nothing was left to be received.
  friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept {
    return !at.value_.has_value();
  }

 private:
  channel* from_;
  mutable std::optional<T> value_;
};
}  // namespace weft
