#include "sync/once_core.hpp"

#include <cerrno>

#include "base/fatal.hpp"
#include "park/wake_batch.hpp"
#include "sync/queued_wait.hpp"

namespace weft::detail {
bool once_core::begin(owner_id me) {
  for (;;) {
    // acquire: pairs with the release in finish(): what was done is seen.
    std::uintptr_t seen = word_.load(std::memory_order_acquire);
    if (seen == done) {
      order_acquire(this);  // pairs with finish
      return false;
    }
    const std::uintptr_t owner = seen & ~queued;
    if (owner == 0) {
      // acquire: pairs with the release of the one who failed before.
      if (word_.compare_exchange_weak(seen, seen | me, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        order_acquire(this);  // pairs with finish
        return true;
      }
      continue;
    }
    if (owner == me) {
      throw_system(EDEADLK, "weft::call_once at %p: %s is inside already and would wait for itself",
                   static_cast<const void*>(this), owner_name(me).text);
    }
    waiter node;
    queued_wait wait(this, node, [this](waiter& each) noexcept { return enqueue_locked(each); });
    wait.plain(wait_kind::once);
  }
}

bool once_core::enqueue_locked(waiter& node) noexcept {
  std::uintptr_t seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    if (seen == done || (seen & ~queued) == 0) return false;
    if (seen & queued || word_.compare_exchange_weak(seen, seen | queued, std::memory_order_relaxed,
                                                     std::memory_order_relaxed)) {
      break;
    }
  }
  queue_.push_back(node);
  return true;
}

void once_core::finish(owner_id me, bool success) noexcept {
  order_release(this);  // pairs with begin
  std::uintptr_t seen = me;
  // release: pairs with the acquire in begin().
  if (word_.compare_exchange_strong(seen, success ? done : 0, std::memory_order_release,
                                    std::memory_order_relaxed)) {
    return;
  }
  spin_lock& lock = queue_lock(this);
  lock.lock();
  if (success) {
    wait_list taken;
    taken.take(queue_);
    word_.store(done, std::memory_order_release);  // the last touch
    return wake_taken(lock, taken);
  }
  const claimed_wait next = claim_first_locked(queue_);
  word_.store(queue_.empty() ? 0 : queued, std::memory_order_release);
  lock.unlock();
  resume(next);
}
}  // namespace weft::detail
