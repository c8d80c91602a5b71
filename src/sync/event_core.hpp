#pragma once
#include <cstddef>

#include "base/atomic.hpp"
#include "park/wait_list.hpp"
#include "time/timed_park.hpp"

// A flag that is waited for.
//
//   word   bit 1 `is_on`
//          bit 0 `queued`: the queue may not be empty; never together with `is_on`
//
// set() with `queued` set is made under the queue's lock, with the waiters taken to a list of the
// caller's before, so that the store of `is_on` is the last touch: who sees it may destroy the
// event. A waiter links itself under the lock, having seen there that the flag is off, and set the
// bit; reset() changes nothing for those who have been taken.
namespace weft::detail {
class event_core {
 public:
  bool is_set() const noexcept;
  void set() noexcept;
  void reset() noexcept;
  // A cancellation point's wait, behind the look on entry.
  wait_end wait_slow(nanos deadline);
  // The queue's lock is held, and `node` has a token, or none yet. False: it is set, and the node
  // was not linked.
  bool enqueue_locked(waiter& node) noexcept;
  void end(const char* what) noexcept;

 private:
  static constexpr std::uint64_t queued = 1;
  static constexpr std::uint64_t is_on = 2;

  atomic<std::uint64_t> word_{0};
  wait_list queue_;
};
}  // namespace weft::detail
