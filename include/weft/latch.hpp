#pragma once
#include <cstddef>
#include <limits>
#include <weft/detail/sync_storage.hpp>

namespace weft {
/// std::latch [thread.latch] for fibers and kernel threads, mixed. 24 bytes, no allocation;
/// constinit-able. wait and arrive_and_wait are cancellation points. Who has seen the count at 0
/// may destroy the latch, even if count_down() has not returned yet.
/// @code
/// weft::latch done(2);
/// weft::fiber one([&] { done.count_down(); }), two([&] { done.count_down(); });
/// done.wait();
/// @endcode
class latch {
 public:
  /// The greatest count.
  static constexpr std::ptrdiff_t max() noexcept {
    return std::numeric_limits<std::ptrdiff_t>::max();
  }
  /// Aborts with a line when `expected` is negative.
  constexpr explicit latch(std::ptrdiff_t expected) noexcept
      : state_(static_cast<std::uint64_t>(expected) << 1) {
    if (expected < 0) refuse(expected);
  }
  latch(const latch&) = delete;
  latch& operator=(const latch&) = delete;
  /// Nobody may wait for it.
  ~latch();

  /// Takes that from the count, and wakes all who wait when it is 0 then. Aborts with a line when
  /// `update` is negative or more than the count. O(waiters) then. Never parks.
  void count_down(std::ptrdiff_t update = 1) noexcept;
  /// Whether the count is 0.
  bool try_wait() const noexcept;
  /// Waits until the count is 0. A cancellation point.
  /// @throws operation_canceled, deadline_exceeded, as every cancellation point
  void wait() const;
  /// count_down(update), then wait(). A cancellation point: when it throws, the count has gone down
  /// all the same, so that nobody waits in vain for who was cancelled.
  void arrive_and_wait(std::ptrdiff_t update = 1) {
    count_down(update);
    wait();
  }

 private:
  [[noreturn]] static void refuse(std::ptrdiff_t expected) noexcept;
  mutable detail::sync_storage<3> state_;
};
}  // namespace weft
