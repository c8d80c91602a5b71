#pragma once
#include <cstddef>

#include "base/atomic.hpp"
#include "sync/queued_wait.hpp"

// Counted units, served in order.
//
//   word   bits 1..63 the count
//          bit  0     `queued`: the queue may not be empty; the count is 0 then
//
// INVARIANT. With the queue's lock free, a queue that is not empty has `queued` set and the count
// is 0. Proof. A waiter links itself under the lock, and sets the bit by a compare-and-swap from
// count 0. The count rises either by the short way, whose compare-and-swap expects the bit clear,
// or under the lock, after the waiters have been served. So no unit lies about while somebody
// waits for one.
//
// END. The last touch of a release is a compare-and-swap: that which raises the count, or, when
// waiters were served, that which clears `queued` with the queue's lock held. A served thread that
// destroys the semaphore at once finds the bit, and waits for the lock to look who is queued.
namespace weft::detail {
class semaphore_core {
 public:
  bool try_acquire() noexcept;
  // A cancellation point's wait, behind the look on entry; nothing was to be had.
  wait_end acquire_slow(nanos deadline);
  // False: the count would exceed `most`; nothing was done.
  bool release(std::uint64_t units, std::uint64_t most) noexcept;
  void end(const char* what) noexcept;

 private:
  static constexpr std::uint64_t queued = 1;
  static constexpr std::uint64_t unit = 2;

  bool enqueue_locked(waiter&) noexcept;
  bool keep_locked(std::uint64_t units, std::uint64_t most) noexcept;
  bool release_slow(std::uint64_t units, std::uint64_t most) noexcept;

  atomic<std::uint64_t> word_{0};
  wait_list queue_;
};
}  // namespace weft::detail
