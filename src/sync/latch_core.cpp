#include "sync/latch_core.hpp"

#include "park/wake_batch.hpp"
#include "sync/queued_wait.hpp"

namespace weft::detail {
bool latch_core::is_down() const noexcept {
  // acquire: pairs with the release of those who have counted down.
  const bool down = word_.load(std::memory_order_acquire) < unit;
  order_acquire_if(down, this);  // pairs with count_down
  return down;
}

bool latch_core::count_down(std::uint64_t by) noexcept {
  order_release(this);  // pairs with is_down
  std::uint64_t seen = word_.load(std::memory_order_relaxed);
  do {
    if (by > seen / unit) return false;
    if (seen & queued && by == seen / unit) return reach_zero(by);
    // release: pairs with the acquire of who sees 0, through the steps in between.
  } while (!word_.compare_exchange_weak(seen, seen - by * unit, std::memory_order_release,
                                        std::memory_order_relaxed));
  return true;
}

// Others may count down meanwhile: then it was too much.
bool latch_core::reach_zero(std::uint64_t by) noexcept {
  spin_lock& lock = queue_lock(this);
  lock.lock();
  std::uint64_t seen = by * unit | queued;
  wait_list taken;
  taken.take(queue_);
  // release: as in count_down. acquire: pairs with the others', for those whom we wake. The last
  // touch.
  const bool down =
      word_.compare_exchange_strong(seen, 0, std::memory_order_acq_rel, std::memory_order_relaxed);
  if (!down) queue_.take(taken);
  wake_taken(lock, taken);
  return down;
}

bool latch_core::enqueue_locked(waiter& node) noexcept {
  // acquire: pairs with the release of count_down, for the waiter, to whom our claim passes it on.
  std::uint64_t seen = word_.load(std::memory_order_acquire);
  do {
    if (seen < unit) return false;
  } while (!(seen & queued) &&
           !word_.compare_exchange_weak(seen, seen | queued, std::memory_order_acquire,
                                        std::memory_order_acquire));
  queue_.push_back(node);
  return true;
}

wait_end latch_core::wait_slow(nanos deadline) {
  // Pairs with count_down.
  return wait_cancellably(this, wait_kind::latch, deadline,
                          [this](waiter& each) noexcept { return enqueue_locked(each); });
}

void latch_core::end(const char* what) noexcept {
  if (word_.load(std::memory_order_relaxed) & queued) [[unlikely]]
    check_unused(this, queue_, what);
  order_forget(this);
}
}  // namespace weft::detail
