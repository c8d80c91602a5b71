#pragma once
#include <cstddef>
#include <cstdint>
#include <weft/detail/sync_storage.hpp>

namespace weft {
/// How an operation on a channel has ended.
enum class channel_status {
  ok,      ///< A value was sent or received.
  closed,  ///< Nothing was sent: the channel is closed. Nothing is left to be received.
  empty,   ///< try_receive: there was nothing to be had.
  full,    ///< try_send: there was no place, and nobody waited for a value.
  timeout  ///< The time was up. Nothing was sent or received.
};

namespace detail {
// A type whose values the library moves without knowing it.
struct value_type {
  std::size_t size;
  std::size_t alignment;
  void (*put)(void* slot, void* from) noexcept;  // a new value at `slot`, moved from *from
  void (*destroy)(void* slot) noexcept;          // null: nothing to be done
};

// Where a received value goes.
struct destination {
  void* place;
  void (*deliver)(void* place, void* from) noexcept;  // moves *from there
};

// A channel of values of any type; see channel<T>.
class alignas(64) channel_base {
 public:
  channel_base(const channel_base&) = delete;
  channel_base& operator=(const channel_base&) = delete;

  /// Ends the channel: senders, those that wait included, are told so, receivers get what is
  /// buffered and then the end. Does nothing a second time. O(those that wait). Never parks.
  void close() noexcept;
  /// Whether it was closed. There may be values left to be received.
  bool closed() const noexcept;
  /// How many values it holds at most, apart from those whose senders wait.
  std::size_t capacity() const noexcept;
  /// How many values it holds now, apart from those whose senders wait. Where others use the
  /// channel, out of date when it returns.
  std::size_t size() const noexcept;

 protected:
  channel_base(std::size_t capacity, const value_type& type);
  ~channel_base();

  // Cancellation points. `ok`, `closed`, and `timeout` where there is a deadline.
  channel_status send(void* value, std::int64_t deadline);
  channel_status receive(destination to, std::int64_t deadline);
  // Never wait: `full` and `empty` instead.
  channel_status try_send(void* value) noexcept;
  channel_status try_receive(destination to) noexcept;

 private:
  friend struct channel_access;
  sync_storage<8> state_;
};
}  // namespace detail
}  // namespace weft
