#pragma once
#include "sched/internal.hpp"

// From one fiber to the next. Inlined into the few functions that switch: a processor predicts
// returns from a stack of its own, which a switch does not know of. Calls and returns around a
// switch must come in pairs, or every return up the resumed stack is mispredicted, some 5 ns each;
// a call that never returns (the end of a fiber) is such an unpaired one.
namespace weft::detail {
// The slow part, for fibers with control words of their own. `saving`: the fiber left, null when it
// ends.
void swap_fp_slow(control_block* saving, control_block* to) noexcept;

// errno and the C++ runtime's exception state belong to the fiber, not to the thread. A thread's
// own loop keeps neither.
inline void save_thread_state(thread_header* header, control_block& from) noexcept {
  from.saved_errno = *header->errno_address;
  from.exceptions = *header->exceptions;
}

inline void load_thread_state(thread_header* header, const control_block& to) noexcept {
  *header->errno_address = to.saved_errno;
  *header->exceptions = to.exceptions;
}

// Makes `next` the running fiber as far as the thread is concerned, and says where to switch. Null,
// or a fiber for which there is no stack now: the carrier's loop.
[[gnu::always_inline]] inline context prepare_switch(thread_header* header, control_block* next,
                                                     bool had_fp_env,
                                                     control_block* saving) noexcept {
  processor& p = *header->held;
  if (next && !(next->flags & fiber_flag::started) && !bind_stack(p, *next)) [[unlikely]] {
    push_ring(p, next);  // the loop deals with it: it waits for a stack to be freed
    next = nullptr;
  }
  if (had_fp_env || (next && next->flags & fiber_flag::fp_env)) [[unlikely]] {
    swap_fp_slow(saving, next);
  }
  header->fiber = next;
  if (!next) {
    *header->exceptions = {};
    return header->self->loop;
  }
  bump(p.count.switches);
  load_thread_state(header, *next);
  return next->ctx;
}

// Leaves the running fiber `me` for `next`, or for the carrier's loop when there is none. Returns
// when somebody resumes it, with the header of the thread it is on then; still in a section.
[[gnu::always_inline]] inline thread_header* switch_from(thread_header* header, control_block& me,
                                                         control_block* next,
                                                         after_fn after) noexcept {
  save_thread_state(header, me);
  const context to = prepare_switch(header, next, me.flags & fiber_flag::fp_env, &me);
  return static_cast<thread_header*>(switch_to(&me.ctx, to, after, header));
}

inline control_block* block_of(context* ctx) noexcept {
  static_assert(offsetof(control_block, ctx) == 0);
  return reinterpret_cast<control_block*>(ctx);
}

// After function of every park: opens the wait and publishes its tokens.
void after_park(void* header, context* from) noexcept;

// The body of a park, in a section before and after. `next`: what to run if the caller knows, an
// unstarted fiber that it has exclusively; else whatever is queued.
[[gnu::always_inline]] inline thread_header* park_into(thread_header* header, control_block* next,
                                                       wait_kind kind, const void* on,
                                                       bool cancellable, publish_fn publish,
                                                       void* arg) noexcept {
  control_block& me = *header->fiber;
  processor& p = *header->held;
  me.waits_for = kind;
  me.waits_on = on;
  p.pending = {publish, arg, cancellable};
  header = switch_from(header, me, next ? next : pick_next(p), after_park);
  me.waits_for = wait_kind::none;
  return header;
}

// The running fiber is over: goes to `next`, or to the carrier's loop, for good. after runs on the
// new stack; it gives the old one back.
[[noreturn, gnu::always_inline]] inline void leave_for_good(thread_header* header,
                                                            control_block* next, bool had_fp_env,
                                                            after_fn after) noexcept {
  const context to = prepare_switch(header, next, had_fp_env, nullptr);
  switch_away(nullptr, to, after, header);
}
}  // namespace weft::detail
