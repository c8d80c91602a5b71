#include "task/future_core.hpp"

#include <utility>

#include "park/wake_batch.hpp"
#include "sync/queued_wait.hpp"

namespace weft::detail {
// relaxed: whoever copies a reference has one.
void future_core::retain() noexcept {
  more_references_.fetch_add(1, std::memory_order_relaxed);
}

bool future_core::release() noexcept {
  order_release(&more_references_);  // pairs with the same of the last one
  // acq_rel: what the others did with the state comes before the last one destroys it.
  if (more_references_.fetch_sub(1, std::memory_order_acq_rel) != 0) return false;
  order_acquire(&more_references_);  // pairs with the release of the others
  order_forget(&more_references_);
  return true;
}

// relaxed: nothing is found by it.
bool future_core::retrieve() noexcept {
  return !(flags_.fetch_or(retrieved, std::memory_order_relaxed) & retrieved);
}

bool future_core::is_ready() const noexcept {
  // acquire: pairs with the release in end_set.
  const bool seen = flags_.load(std::memory_order_acquire) & ready;
  order_acquire_if(seen, this);  // pairs with end_set
  return seen;
}

bool future_core::enqueue_locked(waiter& node) noexcept {
  // relaxed: it is set with the lock held.
  if (flags_.load(std::memory_order_relaxed) & ready) return false;
  queue_.push_back(node);
  return true;
}

wait_end future_core::wait_slow(nanos deadline) {
  // Pairs with end_set.
  return wait_cancellably(this, wait_kind::future, deadline,
                          [this](waiter& each) noexcept { return enqueue_locked(each); });
}

wait_end future_core::wait_until_stopped() {
  waiter node;
  queued_wait wait(this, node, [this](waiter& each) noexcept { return enqueue_locked(each); });
  return wait.until_stopped(wait_kind::future);
}

bool future_core::add_hook(ready_hook& hook) noexcept {
  {
    const spin_guard guard(queue_lock(this));
    if (!(flags_.load(std::memory_order_relaxed) & ready)) {
      hook.next = hooks_;
      hooks_ = &hook;
      return true;
    }
  }
  order_acquire(this);  // pairs with end_set
  return false;
}

bool future_core::is_deferred() const noexcept {
  return flags_.load(std::memory_order_relaxed) & deferred;
}

// relaxed: what the function needs came with the reference.
bool future_core::claim_deferred() noexcept {
  return is_deferred() && (flags_.fetch_and(~deferred, std::memory_order_relaxed) & deferred);
}

bool future_core::begin_set() noexcept {
  // acquire: pairs with abort_set. Who finds it set stores nothing.
  if (flags_.fetch_or(satisfied, std::memory_order_acquire) & satisfied) return false;
  order_acquire(&flags_);  // pairs with abort_set
  return true;
}

void future_core::abort_set() noexcept {
  order_release(&flags_);  // pairs with begin_set
  // release: pairs with begin_set; what has failed is not in the way of what the next one stores.
  flags_.fetch_and(~satisfied, std::memory_order_release);
}

void future_core::end_set() noexcept {
  spin_lock& lock = queue_lock(this);
  order_release(this);  // pairs with is_ready
  lock.lock();
  ready_hook* hooks = std::exchange(hooks_, nullptr);
  wait_list waiting;
  waiting.take(queue_);
  // The last touch of the state: who finds it ready may destroy it, and the promise, at once.
  // release: pairs with the acquire in is_ready; the result is visible.
  flags_.fetch_or(ready, std::memory_order_release);
  wake_taken(lock, waiting);
  while (hooks) {
    ready_hook* const next = hooks->next;
    hooks->run(hooks);
    hooks = next;
  }
}

void future_core::end() noexcept {
  if (!queue_.empty()) check_unused(this, queue_, "weft::future's state");
  order_forget(this);
}
}  // namespace weft::detail
