#include "sched/processor.hpp"
#include "sync/mutex_core.hpp"

namespace weft::detail {
// Held for a moment by somebody who runs on another CPU, a mutex comes free sooner than a wait can
// be queued, and a queued wait costs its owner the long release. So a caller looks again three
// times before it waits, and each time takes what it finds free, as anybody does who comes then.
//
// The pauses grow, and are long against the time in which a cache line changes hands: in between
// the owner has the line to itself, and locks and unlocks some hundred times if it wants to. All
// together they are some 2 us.
//
// In vain, so left out: where the owner's own processor is the only one, and where it has parked.
bool mutex_core::spin(owner_id me) noexcept {
  const thread_header* const header = current();
  if (header->exploring || (header->held && header->held->solo)) return false;
  for (unsigned pauses = 16; pauses <= 64; pauses *= 2) {
    for (unsigned i = 0; i < pauses; ++i) cpu_relax();
    const owner_id seen = owner();
    if (seen == 0) {
      if (try_lock_slow(me)) return true;
    } else if (const control_block* const fiber = fiber_of(seen);
               fiber && fiber->word.is_parked()) {
      return false;
    }
  }
  return false;
}
}  // namespace weft::detail
