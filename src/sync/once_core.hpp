#pragma once
#include "base/atomic.hpp"
#include "park/wait_list.hpp"
#include "sync/self.hpp"

// Something that is to be done once, by whoever comes first.
//
//   word   `done`, or as a mutex's: bits 1..63 who does it, 0: nobody; bit 0 `queued`
//
// INVARIANT. While the queue is not empty and its lock is free, somebody is at it, or a claimed
// waiter is on its way which has not looked yet. The proof is mutex_core's: waiters link themselves
// under the lock while somebody is at it, with the bit set, and finish() then comes by the lock.
namespace weft::detail {
class once_core {
 public:
  // True: the caller does it, and then calls finish(). False: it has been done.
  bool begin(owner_id me);
  void finish(owner_id me, bool success) noexcept;

 private:
  static constexpr std::uintptr_t queued = 1;
  static constexpr std::uintptr_t done = thread_mark;  // no thread's header lies at 0

  bool enqueue_locked(waiter&) noexcept;

  atomic<std::uintptr_t> word_{0};
  wait_list queue_;
};
}  // namespace weft::detail
