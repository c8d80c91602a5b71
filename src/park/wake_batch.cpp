#include "park/wake_batch.hpp"

namespace weft::detail {
void wake_batch::wake() noexcept {
  for (std::uint32_t i = 0; i < thread_count_; ++i) resume(threads_[i]);
  thread_count_ = 0;
  if (fibers_.count == 1) return make_ready(fibers_.pop_front());
  task_list<control_block> together;
  runtime_core* core = nullptr;
  while (control_block* fiber = fibers_.pop_front()) {
    runtime_core* const own = fiber->rt.load(std::memory_order_relaxed);
    if (fiber->flags & fiber_flag::pinned || (core && own != core)) {
      make_ready(fiber);
      continue;
    }
    core = own;
    together.push_back(fiber);
  }
  if (core) make_ready(*core, together);
}

// The end of those to be woken is a node of nobody's, with an epoch that no claim succeeds with.
// Another wake_all, or one that wakes a single waiter, may take it out meanwhile: then all before
// it have been taken as well, since everybody takes from the front.
void wake_all(spin_lock& lock, wait_list& queue) noexcept {
  wake_batch batch;
  lock.lock();
  waiter end;
  bool marked = false;
  while (waiter* first = queue.front()) {
    if (first == &end) break;
    queue.erase(*first);
    const wait_token token = first->token;
    if (token.block) {
      if (const claimed_wait woken = claim(token)) batch.add(woken);
    }
    if (!batch.full()) continue;
    if (!marked) queue.push_back(end);
    marked = true;
    lock.unlock();
    batch.wake();
    lock.lock();
    if (!end.linked) break;
  }
  if (end.linked) queue.erase(end);
  lock.unlock();
}
}  // namespace weft::detail
