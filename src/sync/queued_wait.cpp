#include "sync/queued_wait.hpp"

#include "base/fatal.hpp"
#include "sched/spawn.hpp"
#include "sync/self.hpp"

namespace weft::detail {
void check_unused(const void* object, spin_lock& lock, const wait_list& queue,
                  const char* what) noexcept {
  owner_name waiting(0);
  {
    const spin_guard guard(lock);
    if (queue.empty() || has_forked()) return;
    const control_block* const block = queue.front()->token.block;
    if (!block) return;  // its wakers are at work; they tell of the rest
    const runtime_core* const core = block->rt.load(std::memory_order_relaxed);
    if (core && core->frozen.load(std::memory_order_relaxed) != 0) return;
    waiting = owner_name(
        block->flags & fiber_flag::kernel_thread ? thread_mark : reinterpret_cast<owner_id>(block));
  }
  fatal("%s at %p: destroyed by %s while %s waits for it", what, object, owner_name(self()).text,
        waiting.text);
}
}  // namespace weft::detail
