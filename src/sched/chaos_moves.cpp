// What chaos mode does with fibers and processors that nobody else does. Never called, and never
// linked into a program, in a build without chaos mode.
#include <sched.h>

#include "sched/internal.hpp"

namespace weft::detail {
void reorder(processor& p) noexcept {
  control_block* const oldest = p.solo ? p.ring.pop_unshared() : p.ring.pop();
  if (oldest) push_ring(p, oldest);
}

bool pass_on(thread_header* header, control_block* next, bool& searching) noexcept {
  processor& p = *header->held;
  runtime_core& core = *p.core;
  carrier* to = nullptr;
  // The one that we were handed the processor by may be on its way to the list.
  for (int patience = 1000; !to && patience > 0; --patience) {
    {
      const spin_guard guard(core.idle_lock);
      to = core.spare_list;
      if (to) unlist_spare_locked(core, *to);
    }
    if (!to) ::sched_yield();
  }
  if (!to) return false;
  p.slot_streak = 0;
  push_slot_shared(p, next);
  header->held = nullptr;
  wake_call wake;
  {
    const spin_guard guard(core.idle_lock);
    wake = hand_over_locked(*to, &p, searching);
  }
  searching = false;
  carry_out(core, wake, nullptr);
  return true;
}
}  // namespace weft::detail
