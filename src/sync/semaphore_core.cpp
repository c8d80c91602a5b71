#include "sync/semaphore_core.hpp"

#include "park/wake_batch.hpp"

namespace weft::detail {
bool semaphore_core::try_acquire() noexcept {
  std::uint64_t seen = word_.load(std::memory_order_relaxed);
  while (seen >= unit) {
    // acquire: pairs with the release of whoever released the unit.
    if (word_.compare_exchange_weak(seen, seen - unit, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      order_acquire(this);  // pairs with release
      return true;
    }
  }
  return false;
}

bool semaphore_core::enqueue_locked(waiter& node) noexcept {
  for (;;) {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    if (seen == queued) break;
    if (seen >= unit) {
      if (try_acquire()) return false;
    } else if (word_.compare_exchange_weak(seen, queued, std::memory_order_relaxed,
                                           std::memory_order_relaxed)) {
      break;  // from here on a release comes by the queue's lock, which we hold
    }
  }
  queue_.push_back(node);
  return true;
}

wait_end semaphore_core::acquire_slow(nanos deadline) {
  // Pairs with release.
  return wait_cancellably(this, wait_kind::semaphore, deadline,
                          [this](waiter& each) noexcept { return enqueue_locked(each); });
}

bool semaphore_core::release(std::uint64_t units, std::uint64_t most) noexcept {
  order_release(this);  // pairs with try_acquire
  std::uint64_t seen = word_.load(std::memory_order_relaxed);
  while (!(seen & queued)) {
    if (units > most || seen / unit > most - units) return false;
    // release: pairs with the acquire of who takes a unit.
    if (word_.compare_exchange_weak(seen, seen + units * unit, std::memory_order_release,
                                    std::memory_order_relaxed)) {
      return true;
    }
  }
  return release_slow(units, most);
}

// What nobody waits for goes to the count. False: it does not fit.
bool semaphore_core::keep_locked(std::uint64_t units, std::uint64_t most) noexcept {
  if (!queue_.empty()) return true;  // then no unit is left
  std::uint64_t seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t count = seen / unit;
    const bool fits = units <= most && count <= most - units;
    // release: pairs with the acquire of who takes a unit. The last touch.
    if (word_.compare_exchange_weak(seen, (count + (fits ? units : 0)) * unit,
                                    std::memory_order_release, std::memory_order_relaxed)) {
      return fits;
    }
  }
}

bool semaphore_core::release_slow(std::uint64_t units, std::uint64_t most) noexcept {
  wake_batch served;
  spin_lock& lock = queue_lock(this);
  for (;;) {
    lock.lock();
    while (units > 0 && !served.full()) {
      const claimed_wait next = claim_first_locked(queue_);
      if (!next) break;
      served.add(next);
      --units;
    }
    if (units == 0 || queue_.empty()) break;
    lock.unlock();
    served.wake();
  }
  const bool fits = keep_locked(units, most);
  lock.unlock();
  return fits;
}

void semaphore_core::end(const char* what) noexcept {
  if (word_.load(std::memory_order_relaxed) & queued) [[unlikely]]
    check_unused(this, queue_, what);
  order_forget(this);
}
}  // namespace weft::detail
