#include "sync/queued_wait.hpp"

#include "base/fatal.hpp"
#include "sched/process_end.hpp"
#include "sched/spawn.hpp"

namespace weft::detail {
void check_unused(const void* object, spin_lock& lock, const wait_list& queue,
                  const char* what) noexcept {
  if (has_forked() || is_exiting()) return;
  owner_name waiting(0);
  {
    const spin_guard guard(lock);
    if (queue.empty()) return;
    const control_block* const block = queue.front()->token.block;
    waiting = owner_name(!block || block->flags & fiber_flag::kernel_thread
                             ? thread_mark
                             : reinterpret_cast<owner_id>(block));
  }
  fatal("%s at %p: destroyed by %s while %s waits for it", what, object, owner_name(self()).text,
        waiting.text);
}

void check_unowned(const void* object, owner_id owner, const char* what) noexcept {
  if (owner == 0 || has_forked() || is_exiting()) return;
  fatal("%s at %p: destroyed by %s while %s owns it", what, object, owner_name(self()).text,
        owner_name(owner).text);
}

void check_no_readers(const void* object, std::uint64_t readers, const char* what) noexcept {
  if (has_forked() || is_exiting()) return;
  fatal("%s at %p: destroyed by %s while it is held shared, %llu times", what, object,
        owner_name(self()).text, static_cast<unsigned long long>(readers));
}
}  // namespace weft::detail
