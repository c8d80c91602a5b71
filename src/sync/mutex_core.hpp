#pragma once
#include "base/atomic.hpp"
#include "park/wait_list.hpp"
#include "sync/self.hpp"
#include "time/timed_park.hpp"

// The mutex below all others that exclude.
//
//   word   bits 1..63 the owner, 0: free
//          bit  0     `queued`: the queue may not be empty
//
// Taken and released by one compare-and-swap while nobody waits. A waiter links itself and sets
// `queued` under the queue's lock, having seen under it that the mutex is owned. The owner that
// finds the bit set releases under that lock: it takes the first waiter, whose wait it claims, and
// clears the bit if that was the last one.
//
// INVARIANT. While the queue is not empty and its lock is free, `queued` is set, and either the
// mutex is owned or a claimed waiter is on its way, which has not tried yet. Proof. A waiter links
// itself only while the mutex is owned, with the bit set. From an owned word only the owner's
// release leads away, which sees the bit, since the compare-and-swap of the short release expects
// none; it leaves a claimed waiter on its way, or the queue is empty. A claimed waiter either takes
// the mutex (and the word keeps the bit) or finds it owned, and then links itself again under the
// lock, or takes it there. The bit is cleared only under the lock, with the queue empty. So nobody
// waits for a mutex that nobody will release.
//
// BOUND. Whoever comes while the mutex is free may take it before a waiter that was woken for it.
// That one then queues at the front with one more on its count; at the limit the mutex is handed to
// it: the release writes its id into the word, and nobody can come in between.
//
// END. The last touch of the mutex by a release is the store that frees the word, so the next owner
// may destroy it; the queue's lock lies elsewhere.
namespace weft::detail {
class mutex_core {
 public:
  // Owner ids are the caller's own, but in unlock_locked.
  bool try_lock(owner_id me) noexcept {
    std::uintptr_t seen;
    return take_free(word_, me, seen) || (seen == queued && try_lock_slow(me));
  }
  void lock(owner_id me, const char* what) {
    if (!try_lock(me)) [[unlikely]]
      lock_slow(me, what, never);
  }
  // False: `deadline` passed.
  bool lock_until(owner_id me, const char* what, nanos deadline) {
    return try_lock(me) || lock_slow(me, what, deadline);
  }
  // `what` names the type in the line that ends a process where `me` is not the owner.
  void unlock(owner_id me, const char* what) noexcept {
    std::uintptr_t seen;
    if (!leave_free(word_, me, seen)) [[unlikely]]
      unlock_slow(me, seen, what);
  }
  // The queue's lock is held, and the caller acts for the owner. What it returns is to be resumed
  // with the lock released.
  [[nodiscard]] claimed_wait unlock_locked() noexcept;

  // The owner's: from here on it is `next` that owns it, and releases it.
  void pass_to(owner_id next) noexcept {
    std::uintptr_t seen = word_.load(std::memory_order_relaxed);
    // relaxed: whoever waits sets `queued` meanwhile; the release comes with next's unlock.
    while (!word_.compare_exchange_weak(seen, next | (seen & queued), std::memory_order_relaxed,
                                        std::memory_order_relaxed)) {
    }
  }

  bool is_owned_by(owner_id me) const noexcept {
    return (word_.load(std::memory_order_relaxed) & ~queued) == me;
  }
  // Any thread, for reports. 0: free.
  owner_id owner() const noexcept { return word_.load(std::memory_order_relaxed) & ~queued; }
  // For destructors.
  void end(const char* what) noexcept {
    if (const std::uintptr_t seen = word_.load(std::memory_order_relaxed)) [[unlikely]]
      end_slow(seen, what);
    order_forget(this);
  }

 private:
  struct mutex_waiter : waiter {
    owner_id id = 0;
    unsigned passed_over = 0;
    bool granted = false;
  };
  static constexpr std::uintptr_t queued = 1;
  static constexpr unsigned most_passed_over = 4;

  bool try_lock_slow(owner_id me) noexcept;
  // Looks some more times, for about 2 us: mutex_spin.cpp.
  bool spin(owner_id me) noexcept;
  bool enqueue_locked(mutex_waiter&) noexcept;
  [[gnu::noinline]] bool lock_slow(owner_id me, const char* what, nanos deadline);
  [[gnu::noinline]] void unlock_slow(owner_id me, std::uintptr_t seen, const char* what) noexcept;
  [[gnu::noinline]] void end_slow(std::uintptr_t seen, const char* what) noexcept;

  atomic<owner_id> word_{0};  // first: what own_word() is handed
  wait_list queue_;
};
}  // namespace weft::detail
