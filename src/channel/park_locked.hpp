#pragma once
#include "base/asymmetric_fence.hpp"
#include "sched/branches.hpp"
#include "sched/switching.hpp"

// A park with a spin lock held, which is released on the next stack when the wait is open.
//
// What after_park needs a publication mark for is not so here. A canceller that ends the wait at
// once may have the fiber resumed before the lock is released; but the after function reads nothing
// of the fiber's frame, and the fiber, whose wait no waker has ended, comes for that lock in order
// to unlink itself, before it leaves.
//
// Whoever offers branches (offers_branches) spills them before it parks here, without the lock:
// that may allocate and wake others.
namespace weft::detail {
inline control_block* open_and_unlock(void* header, context* from, bool cancellable) noexcept {
  control_block* const parked = block_of(from);
  processor& p = *static_cast<thread_header*>(header)->held;
  auto* const lock = static_cast<spin_lock*>(p.pending.arg);
  parked->exceptions.since = p.stamp.load(std::memory_order_relaxed);
  parked->word.begin(cancellable);
  lock->unlock();
  return parked;
}

inline void after_locked_park(void* header, context* from) noexcept {
  const wait_word::epoch_type epoch = block_of(from)->word.next_epoch();
  control_block* const parked = open_and_unlock(header, from, true);
  // As in after_park.
  light_fence();
  if (stop_requested(*parked) && parked->word.claim(epoch, wake_reason::cancel)) make_ready(parked);
}

inline void after_quiet_locked_park(void* header, context* from) noexcept {
  open_and_unlock(header, from, false);
}

// The running fiber, with its waiters linked. Returns how the wait ended.
[[gnu::always_inline]] inline wake_reason park_fiber_locked(thread_header* header, wait_kind kind,
                                                            const void* on,
                                                            spin_lock& lock) noexcept {
  control_block& me = *header->fiber;
  const bool cancellable = cancellable_on(header);
  ++header->section;
  processor& p = *header->held;
  control_block* const next = pick_next(p);
  me.waits_for = kind;
  me.waits_on = on;
  p.pending.arg = &lock;
  header = switch_from(header, me, next, cancellable ? after_locked_park : after_quiet_locked_park);
  me.waits_for = wait_kind::none;
  --header->section;
  return me.word.reason();
}
}  // namespace weft::detail
