#pragma once
#include <cstddef>

#include "base/atomic.hpp"
#include "park/wait_list.hpp"
#include "time/timed_park.hpp"

// A count that goes down to 0 once.
//
//   word   bits 1..63 the count
//          bit  0     `queued`: the queue may not be empty; never set when the count is 0
//
// The step to 0 with `queued` set is made under the queue's lock, with the waiters taken to a list
// of the caller's before, so that it is the last touch: who sees 0 may destroy the latch. A waiter
// links itself under the lock, having seen there that the count is not 0, and set the bit.
namespace weft::detail {
class latch_core {
 public:
  bool is_down() const noexcept;
  // False: the count is less than that; nothing was done.
  bool count_down(std::uint64_t by) noexcept;
  // A cancellation point's wait, behind the look on entry.
  wait_end wait_slow(nanos deadline);
  std::uint64_t count() const noexcept { return word_.load(std::memory_order_relaxed) / unit; }
  void end(const char* what) noexcept;

 private:
  static constexpr std::uint64_t queued = 1;
  static constexpr std::uint64_t unit = 2;

  bool enqueue_locked(waiter&) noexcept;
  bool reach_zero(std::uint64_t by) noexcept;

  atomic<std::uint64_t> word_{0};
  wait_list queue_;
};
}  // namespace weft::detail
