#pragma once
#include "base/atomic.hpp"
#include "park/wake_batch.hpp"
#include "sync/queued_wait.hpp"
#include "sync/self.hpp"

// One writer or any number of readers, served in the order in which they came.
//
//   owner_  the writer, 0: none. First, as a mutex's word is: what reports look at.
//   word_   bits 2..63 the readers inside
//           bit  1     `writer`: one is inside
//           bit  0     `queued`: the queue may not be empty
//
// Whoever comes while `queued` is clear gets in by one compare-and-swap if those inside allow it.
// While it is set everybody queues, so neither readers nor writers can keep the others out. Those
// inside leave by a compare-and-swap, but the last one, who leaves under the queue's lock and
// admits from the front whom the word now allows: one writer, or all readers up to the next writer.
//
// INVARIANT. With the queue's lock free, a queue that is not empty has `queued` set, and somebody
// is inside who keeps its first waiter out. Proof. A waiter links itself under the lock while
// somebody inside, or before it in the queue, keeps it out, with the bit set by a compare-and-swap
// from a word that says so. Who leaves last expects the bit clear, or comes under the lock; and who
// leaves the queue otherwise (a timeout) admits too, since it may have been what kept the next ones
// out. Only admission clears the bit, with the queue empty.
//
// END. A waiter that was admitted passes the queue's lock before it goes on, so what admits it has
// touched the object for the last time. A short release's last touch is its compare-and-swap.
namespace weft::detail {
class shared_core {
 public:
  bool try_lock(owner_id me) noexcept;
  void lock(owner_id me, const char* what) { lock_until(me, what, never); }
  // False: `deadline` passed.
  bool lock_until(owner_id me, const char* what, nanos deadline) {
    return try_lock(me) || lock_slow(me, true, what, deadline);
  }
  void unlock(owner_id me, const char* what) noexcept;

  bool try_lock_shared() noexcept;
  bool lock_shared_until(owner_id me, const char* what, nanos deadline) {
    return try_lock_shared() || lock_slow(me, false, what, deadline);
  }
  void unlock_shared(const char* what) noexcept;
  // For destructors.
  void end(const char* what) noexcept;

 private:
  struct shared_waiter : waiter {
    owner_id id = 0;
    bool exclusive = false;
  };
  static constexpr std::uint64_t queued = 1;
  static constexpr std::uint64_t writer = 2;
  static constexpr std::uint64_t reader = 4;

  bool enqueue_locked(shared_waiter&) noexcept;
  void admit_locked(wake_batch&) noexcept;
  void admit_after(std::uint64_t leaving) noexcept;
  bool acquired(bool exclusive) noexcept;
  [[gnu::noinline]] bool lock_slow(owner_id me, bool exclusive, const char* what, nanos deadline);

  atomic<owner_id> owner_{0};
  atomic<std::uint64_t> word_{0};
  wait_list queue_;
};
}  // namespace weft::detail
