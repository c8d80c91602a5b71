#pragma once
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <weft/channel.hpp>
#include <weft/detail/select_base.hpp>

namespace weft {
/// Which case of a select took place, and how.
struct select_result {
  /// Its place among the arguments, from 0.
  std::size_t index;
  /// ok: a value was sent or received, or the case is otherwise(). closed: its channel was; a value
  /// that was to be sent is untouched. timeout: the case is after().
  channel_status status;
};

namespace detail {
// The type of the only parameter of a callable that is not overloaded; void for others.
template <class F>
struct parameter_of : std::type_identity<void> {};
template <class R, class A>
struct parameter_of<R (*)(A)> : std::type_identity<std::remove_cvref_t<A>> {};
template <class R, class A>
struct parameter_of<R (*)(A) noexcept> : std::type_identity<std::remove_cvref_t<A>> {};
template <class R, class C, class A>
struct parameter_of<R (C::*)(A)> : std::type_identity<std::remove_cvref_t<A>> {};
template <class R, class C, class A>
struct parameter_of<R (C::*)(A) const> : std::type_identity<std::remove_cvref_t<A>> {};
template <class R, class C, class A>
struct parameter_of<R (C::*)(A) noexcept> : std::type_identity<std::remove_cvref_t<A>> {};
template <class R, class C, class A>
struct parameter_of<R (C::*)(A) const noexcept> : std::type_identity<std::remove_cvref_t<A>> {};
template <class F>
requires requires {
  &F::operator();
}
struct parameter_of<F> : parameter_of<decltype(&F::operator())> {};

// A handler of std::optional<T> says so, or can take nothing else: a generic one gets the T.
template <class H, class T>
inline constexpr bool takes_optional =
    std::is_same_v<typename parameter_of<H>::type, std::optional<T>> || !std::invocable<H&, T>;

template <class T, class H>
class [[nodiscard]] receive_case {
 public:
  receive_case(channel<T>& from, H&& handler) : from_(&from), handler_(std::move(handler)) {}

  static constexpr bool is_channel = true;
  void describe(select_case& to) noexcept {
    const destination into = into_optional(value_);
    to.channel = from_;
    to.value = into.place;
    to.deliver = into.deliver;
  }
  void handle(channel_status) {
    if constexpr (takes_optional<H, T>) {
      std::invoke(handler_, std::move(value_));
    } else if (value_) {
      std::invoke(handler_, std::move(*value_));
    }
  }

 private:
  channel<T>* from_;
  H handler_;
  std::optional<T> value_;
};

// V is T&, which is moved from if the case takes place, or T, a copy.
template <class T, class V, class H>
class [[nodiscard]] send_case {
 public:
  template <class From>
  send_case(channel<T>& to, From&& value, H&& handler)
      : to_(&to), value_(std::forward<From>(value)), handler_(std::move(handler)) {}

  static constexpr bool is_channel = true;
  void describe(select_case& to) noexcept {
    to.channel = to_;
    to.value = std::addressof(value_);
    to.deliver = nullptr;
  }
  void handle(channel_status status) {
    if (status == channel_status::ok) std::invoke(handler_);
  }

 private:
  channel<T>* to_;
  V value_;
  H handler_;
};

template <class H>
class [[nodiscard]] after_case {
 public:
  after_case(std::int64_t until, H&& handler) : deadline(until), handler_(std::move(handler)) {}

  static constexpr bool is_channel = false;
  void handle(channel_status) { std::invoke(handler_); }
  const std::int64_t deadline;

 private:
  H handler_;
};

template <class H>
class [[nodiscard]] otherwise_case {
 public:
  explicit otherwise_case(H&& handler) : handler_(std::move(handler)) {}

  static constexpr bool is_channel = false;
  void handle(channel_status) { std::invoke(handler_); }

 private:
  H handler_;
};

template <class C>
inline constexpr bool is_otherwise = false;
template <class H>
inline constexpr bool is_otherwise<otherwise_case<H>> = true;
template <class C>
concept select_argument = requires {
  std::remove_cvref_t<C>::is_channel;
};
}  // namespace detail

/// A case of select(): receives from the channel and calls handler(value). When the channel is
/// closed and drained, a handler whose parameter is a std::optional<T> is called with nullopt;
/// another one is not called.
template <class T, class H>
auto on_receive(channel<T>& from, H&& handler) {
  using stored = std::decay_t<H>;
  // Not both in one expression: a generic handler may be written for a T alone.
  if constexpr (!std::invocable<stored&, T>) {
    static_assert(std::invocable<stored&, std::optional<T>>,
                  "weft::on_receive(c, handler): the handler takes a T or a std::optional<T>");
  }
  return detail::receive_case<T, stored>(from, stored(std::forward<H>(handler)));
}

/// A case of select(): sends the value and calls handler(). An rvalue is moved from only if this
/// case takes place, so write the case inside the call of select(); of an lvalue a copy is sent.
template <class T, class V, class H>
auto on_send(channel<T>& to, V&& value, H&& handler) {
  using stored = std::decay_t<H>;
  static_assert(std::invocable<stored&>, "weft::on_send(c, value, handler): called as handler()");
  if constexpr (std::is_same_v<V, T>) {
    return detail::send_case<T, T&, stored>(to, value, stored(std::forward<H>(handler)));
  } else {
    static_assert(std::constructible_from<T, V>, "weft::on_send: the value is no T");
    return detail::send_case<T, T, stored>(to, std::forward<V>(value),
                                           stored(std::forward<H>(handler)));
  }
}

/// A case of select(): no other one took place within that time, measured from here. Zero and
/// negative durations wait for nothing.
template <class R, class P, class H>
auto after(const std::chrono::duration<R, P>& limit, H&& handler) {
  using stored = std::decay_t<H>;
  static_assert(std::invocable<stored&>, "weft::after(limit, handler): called as handler()");
  return detail::after_case<stored>(detail::deadline_after(limit),
                                    stored(std::forward<H>(handler)));
}

/// A case of select(): none of the channels is ready now. The select never waits then.
template <class H>
auto otherwise(H&& handler) {
  using stored = std::decay_t<H>;
  static_assert(std::invocable<stored&>, "weft::otherwise(handler): called as handler()");
  return detail::otherwise_case<stored>(stored(std::forward<H>(handler)));
}

/// Waits until one of several sends and receives can be done, and does that one alone; Go's select.
/// Among those that are ready each has the same chance. The handler of the case is called then, on
/// this fiber or thread, when all is decided and no lock is held: it may park, use the same
/// channels, and throw, which leaves select(). A channel that is closed is ready.
///
/// A cancellation point: asked to stop, it throws on entry or out of its wait, and no case has
/// taken place, nor has a value been moved. One channel may be in several cases, to send and to
/// receive, but no select exchanges a value with itself. Of several after() the earliest counts;
/// with otherwise() none does. select() without a channel waits for its after(), and without any
/// case until it is asked to stop or a deadline_scope expires. O(cases squared) where it has to
/// wait, O(cases) else.
/// @throws what the handler throws; operation_canceled, deadline_exceeded; std::bad_alloc when
/// there is no memory for a timer
/// @code
/// weft::select(weft::on_receive(requests, [](request r) { serve(r); }),
///              weft::on_send(results, std::move(next), [&] { next = compute(); }),
///              weft::after(10ms, [] { idle(); }));
/// @endcode
template <detail::select_argument... Cases>
select_result select(Cases&&... cases) {
  using namespace detail;
  constexpr std::size_t channels = (std::size_t{0} + ... + std::remove_cvref_t<Cases>::is_channel);
  constexpr std::size_t instead = (std::size_t{0} + ... + is_otherwise<std::remove_cvref_t<Cases>>);
  static_assert(instead <= 1, "weft::select: one otherwise() is enough");
  std::array<select_case, channels> described;
  std::array<std::size_t, channels> place{};
  std::size_t described_so_far = 0;
  std::size_t not_ready = 0;  // the place of otherwise(), or of the earliest after()
  std::int64_t deadline = no_deadline;
  std::size_t at = 0;
  [[maybe_unused]] const auto look = [&]<class C>(C& each) {
    if constexpr (C::is_channel) {
      place[described_so_far] = at;
      each.describe(described[described_so_far++]);
    } else if constexpr (is_otherwise<C>) {
      not_ready = at;
    } else if (instead == 0 && each.deadline < deadline) {
      deadline = each.deadline;
      not_ready = at;
    }
    ++at;
  };
  (look(cases), ...);

  const select_choice made = select_one(described.data(), channels, instead == 0, deadline);
  select_result result{not_ready, instead == 1 ? channel_status::ok : channel_status::timeout};
  if (made.index != no_case) result = {place[made.index], made.status};
  at = 0;
  [[maybe_unused]] const auto handle = [&](auto& each) {
    if (at++ == result.index) each.handle(result.status);
  };
  (handle(cases), ...);
  return result;
}

namespace detail {
using weft::select;  // so that select(on_receive(c, h)) is found by its cases
}
}  // namespace weft
