#pragma once
#include <stop_token>

#include "sched/schedule.hpp"

// Waiting, for fibers and kernel threads alike. A kernel thread is stood in for by a control block
// of its own; it sleeps on that block's word.
namespace weft::detail {
// The running fiber's block, or the calling thread's stand-in, made on first use (may throw then).
control_block& self_block();
inline bool on_fiber() noexcept {
  return current()->fiber != nullptr;
}

// Whether a wait that begins now may be ended by a stop request: not in a shielded block, nor while
// the fiber unwinds (a destructor's wait must run its course).
inline bool cancellable_on(const thread_header* header) noexcept {
  return header->fiber && !header->fiber->shielded && header->exceptions->uncaught == 0;
}
// When a wait of `me`, the caller's, that begins now is ended by a deadline_scope. While the fiber
// unwinds only one counts that was made since.
inline nanos scope_deadline_on(const thread_header* header, const control_block& me) noexcept {
  if (me.deadline == never) [[likely]]
    return never;
  return header->exceptions->uncaught <= me.deadline_level ? me.deadline : never;
}

// park_fiber or its like for a thread. On a thread `deadline` limits the sleep; a fiber's is armed
// by the layer above (time/timed_park.hpp) and must be `never` here.
wake_reason park(wait_kind kind, const void* on, bool cancellable, publish_fn publish, void* arg,
                 nanos deadline = never);

// Asks the fiber to stop: sets the sticky bit, ends its wait if that may be ended, and stops its
// std stop state. Any thread that may reach the block. False: it had been asked before.
bool request_stop(control_block&) noexcept;
// The first half of that, without the fence and what follows it: for those who ask many at once
// (task/scope_core.cpp).
void mark_stop(control_block&) noexcept;
// The fiber's std stop state, made now if need be; stopped if the fiber or its whole runtime was
// asked to.
std::stop_source stop_state(control_block&);
// The same for all fibers of a runtime, now and to come.
void request_stop_all(runtime_core&) noexcept;
}  // namespace weft::detail
