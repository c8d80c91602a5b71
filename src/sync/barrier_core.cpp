#include "sync/barrier_core.hpp"

#include "park/wake_batch.hpp"
#include "sync/queued_wait.hpp"

namespace weft::detail {
barrier_core::arrival barrier_core::arrive(std::uint64_t number, bool drop,
                                           std::uint64_t& phase) noexcept {
  order_release(this);  // pairs with arrive, of the last one
  bool last = false;
  {
    const spin_guard guard(queue_lock(this));
    if (number == 0 || number > missing_) return arrival::too_many;
    phase = phase_.load(std::memory_order_relaxed);
    if (drop) --expected_;
    missing_ -= number;
    last = missing_ == 0;
  }
  if (!last) return arrival::waits;
  order_acquire(this);  // pairs with all arrivals
  return arrival::last;
}

void barrier_core::next_phase() noexcept {
  order_release(this);  // pairs with has_ended
  spin_lock& lock = queue_lock(this);
  lock.lock();
  missing_ = expected_;
  wait_list taken;
  taken.take(queue_);
  // release: pairs with the acquire in has_ended.
  phase_.store(phase_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  wake_taken(lock, taken);
}

bool barrier_core::has_ended(std::uint64_t phase) const noexcept {
  // acquire: pairs with the release in next_phase.
  const bool ended = phase_.load(std::memory_order_acquire) != phase;
  order_acquire_if(ended, this);  // pairs with next_phase
  return ended;
}

bool barrier_core::enqueue_locked(waiter& node, std::uint64_t phase) noexcept {
  if (phase_.load(std::memory_order_relaxed) != phase) return false;
  queue_.push_back(node);
  return true;
}

wait_end barrier_core::wait_slow(std::uint64_t phase, nanos deadline) {
  // Pairs with next_phase.
  return wait_cancellably(this, wait_kind::barrier, deadline, [this, phase](waiter& each) noexcept {
    return enqueue_locked(each, phase);
  });
}

void barrier_core::end(const char* what) noexcept {
  if (!queue_.empty()) [[unlikely]]
    check_unused(this, queue_, what);
  order_forget(this);
}
}  // namespace weft::detail
