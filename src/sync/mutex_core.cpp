#include "sync/mutex_core.hpp"

#include <cerrno>

#include "base/fatal.hpp"
#include "sched/spawn.hpp"
#include "sync/queued_wait.hpp"

namespace weft::detail {
// Free, with waiters of whom one is on its way.
bool mutex_core::try_lock_slow(owner_id me) noexcept {
  std::uintptr_t seen = word_.load(std::memory_order_relaxed);
  while ((seen & ~queued) == 0) {
    // acquire: pairs with the release of the owner before.
    if (word_.compare_exchange_weak(seen, seen | me, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      order_acquire(this);  // pairs with unlock
      return true;
    }
  }
  return false;
}

bool mutex_core::enqueue_locked(mutex_waiter& node) noexcept {
  for (std::uintptr_t seen = word_.load(std::memory_order_relaxed);;) {
    if ((seen & ~queued) == 0) {
      node.granted = try_lock_slow(node.id);
      if (node.granted) return false;
      seen = word_.load(std::memory_order_relaxed);
    } else if (seen & queued ||
               word_.compare_exchange_weak(seen, seen | queued, std::memory_order_relaxed,
                                           std::memory_order_relaxed)) {
      // Owned, with the bit set: from here on the owner's release comes by the queue's lock, which
      // we hold. relaxed: that lock orders what it finds there.
      break;
    }
  }
  if (node.passed_over > 0) {
    queue_.push_front(node);
  } else {
    queue_.push_back(node);
  }
  return true;
}

bool mutex_core::lock_slow(owner_id me, const char* what, nanos deadline) {
  if (deadline <= 0) return false;
  if (is_owned_by(me)) {
    throw_system(EDEADLK, "%s at %p: %s has locked it already and would wait for itself", what,
                 static_cast<const void*>(this), owner_name(me).text);
  }
  if (spin(me)) return true;
  mutex_waiter node;
  node.id = me;
  queued_wait wait(this, node, [this](waiter& each) noexcept {
    return enqueue_locked(static_cast<mutex_waiter&>(each));
  });
  for (;;) {
    if (wait.plain(wait_kind::mutex, deadline) != wait_end::woken) return false;
    if (node.granted) {
      order_acquire(this);  // pairs with unlock
      return true;
    }
    if (try_lock_slow(me) || spin(me)) return true;
    ++node.passed_over;
  }
}

claimed_wait mutex_core::unlock_locked() noexcept {
  claimed_wait next;
  bool handed = false;
  while (!next && !queue_.empty()) {
    next = claim_first_locked(queue_, [this, &handed](waiter& first) noexcept {
      auto& node = static_cast<mutex_waiter&>(first);
      handed = node.passed_over >= most_passed_over;
      if (!handed) return;
      node.granted = true;
      // Before the claim, from which on a kernel thread runs. Should the claim fail, the mutex is
      // still ours to give, and nobody else changes an owned word but to set the bit, under the
      // lock. relaxed: the new owner is ordered by its claim, others by its release.
      word_.store(node.id | (queue_.empty() ? 0 : queued), std::memory_order_relaxed);
    });
  }
  // release: pairs with the acquire of the next owner. The last touch.
  if (!next || !handed) word_.store(queue_.empty() ? 0 : queued, std::memory_order_release);
  return next;
}

void mutex_core::unlock_slow(owner_id me, std::uintptr_t seen, const char* what) noexcept {
  // In a forked child the fiber that has locked it goes on as a plain thread.
  if ((seen & ~queued) != me && !has_forked()) {
    fatal("%s at %p: unlocked by %s, but its owner is %s", what, static_cast<const void*>(this),
          owner_name(me).text, owner_name(seen & ~queued).text);
  }
  claimed_wait next;
  {
    const spin_guard guard(queue_lock(this));
    next = unlock_locked();
  }
  resume(next);
}

void mutex_core::end_slow(std::uintptr_t seen, const char* what) noexcept {
  if (seen & queued) check_unused(this, queue_, what);
  check_unowned(this, seen & ~queued, what);
}
}  // namespace weft::detail
