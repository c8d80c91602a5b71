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

void wake_taken(spin_lock& lock, wait_list& taken) noexcept {
  wake_batch batch;
  while (waiter* first = taken.pop_front()) {
    if (first->process != process_copy() || !first->token.block) continue;
    if (const claimed_wait woken = claim(first->token)) batch.add(woken);
    if (!batch.full()) continue;
    lock.unlock();
    batch.wake();
    lock.lock();
  }
  lock.unlock();
}
}  // namespace weft::detail
