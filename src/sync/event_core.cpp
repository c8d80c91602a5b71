#include "sync/event_core.hpp"

#include "park/wake_batch.hpp"
#include "sync/queued_wait.hpp"

namespace weft::detail {
bool event_core::is_set() const noexcept {
  // acquire: pairs with the release of set().
  const bool on = word_.load(std::memory_order_acquire) & is_on;
  order_acquire_if(on, this);  // pairs with set
  return on;
}

void event_core::set() noexcept {
  order_release(this);  // pairs with is_set
  std::uint64_t seen = word_.load(std::memory_order_relaxed);
  while (!(seen & queued)) {
    // release: pairs with the acquire of who sees the flag; also when it was on before, so that he
    // sees what this caller did as well.
    if (word_.compare_exchange_weak(seen, is_on, std::memory_order_release,
                                    std::memory_order_relaxed)) {
      return;
    }
  }
  spin_lock& lock = queue_lock(this);
  lock.lock();
  wait_list taken;
  taken.take(queue_);
  // An exchange: who sees the flag sees what earlier callers did, too. release: as above. The last
  // touch.
  word_.exchange(is_on, std::memory_order_release);
  wake_taken(lock, taken);
}

void event_core::reset() noexcept {
  word_.fetch_and(~is_on, std::memory_order_relaxed);
}

bool event_core::enqueue_locked(waiter& node) noexcept {
  // acquire: pairs with the release of set(), for the waiter, to whom our claim passes it on.
  std::uint64_t seen = word_.load(std::memory_order_acquire);
  do {
    if (seen & is_on) return false;
  } while (!(seen & queued) && !word_.compare_exchange_weak(seen, queued, std::memory_order_acquire,
                                                            std::memory_order_acquire));
  queue_.push_back(node);
  return true;
}

wait_end event_core::wait_slow(nanos deadline) {
  // Pairs with set.
  return wait_cancellably(this, wait_kind::event, deadline,
                          [this](waiter& each) noexcept { return enqueue_locked(each); });
}

void event_core::end(const char* what) noexcept {
  if (word_.load(std::memory_order_relaxed) & queued) [[unlikely]]
    check_unused(this, queue_, what);
  order_forget(this);
}
}  // namespace weft::detail
