#pragma once
#include "sched/internal.hpp"

// From one fiber to the next. Inlined into the few functions that switch: a processor predicts
// returns from a stack of its own, which a switch does not know of. Calls and returns around a
// switch must come in pairs, or every return up the resumed stack is mispredicted, some 5 ns each;
// a call that never returns (the end of a fiber) is such an unpaired one.
namespace weft::detail {
// Swaps the floating-point control words, for fibers that have their own. `saving`: the fiber left,
// null when it ends.
void swap_fp_slow(control_block* saving, control_block* to) noexcept;

// errno and the C++ runtime's exception state belong to the fiber, not to the thread. A thread's
// own loop keeps neither.
inline void save_thread_state(thread_header* header, control_block& from) noexcept {
  from.saved_errno = *header->errno_address;
  from.exceptions = *header->exceptions;
  from.trail.left(header->self);
}

inline void load_thread_state(thread_header* header, const control_block& to) noexcept {
  *header->errno_address = to.saved_errno;
  *header->exceptions = to.exceptions;
}

inline stack_bounds bounds_of(const control_block& fiber) noexcept {
  return {fiber.stk.lo, fiber.stk.hi, fiber.clock};
}

// Of what enter() or prepare_switch() has chosen.
inline stack_bounds bounds_of_chosen(const thread_header* header) noexcept {
  return header->fiber ? bounds_of(*header->fiber) : stack_bounds(header->self->own_stack);
}

// Every switch that comes back: to `to`, whose stack is `there`. Returns when somebody resumes
// *from, with the header of the thread it is on then.
[[gnu::always_inline]] inline thread_header* change_stack(thread_header* header, context* from,
                                                          context to, stack_bounds there,
                                                          after_fn after) noexcept {
  announced_switch announced(there);
  void* const resumed = switch_to(from, to, after, header);
  announced.returned();
  return static_cast<thread_header*>(resumed);
}

// Makes `next` the running fiber as far as the thread is concerned, and says where to switch.
inline context enter(thread_header* header, control_block& next) noexcept {
  header->fiber = &next;
  bump(header->held->count.switches);
  load_thread_state(header, next);
  return next.ctx;
}

// Both at once, for a fiber that has run before.
inline context change_fiber(thread_header* header, processor& p, control_block& from,
                            control_block& to) noexcept {
  int* const error = header->errno_address;
  exception_state* const exceptions = header->exceptions;
  from.saved_errno = *error;
  from.exceptions = *exceptions;
  *error = to.saved_errno;
  *exceptions = to.exceptions;
  header->fiber = &to;
  bump(p.count.switches);
  return to.ctx;
}

// The same for a fiber that begins, on `bound`.
inline context enter_fresh(thread_header* header, control_block& next, stack bound) noexcept {
  forget_accesses(bound.lo, bound.hi);
  next.stk = bound;
  next.flags |= fiber_flag::started;
  header->fiber = &next;
  bump(header->held->count.switches);
  *header->errno_address = 0;
  *header->exceptions = {};
  return prepare(bound.hi, fiber_main);
}

// Who leaves the running fiber `me` and finds one of fiber_flag::when_left, before it enters `next`
// by itself: control words change, and what it has offered to thieves becomes fibers.
void leave_slow(thread_header* header, control_block& me, control_block& next) noexcept;
// The same when something has to be seen to: a stack, control words, no fiber at all, or what is to
// be done when `saving` is left.
context prepare_switch_slow(thread_header* header, control_block* next, bool must_look,
                            control_block* saving) noexcept;

// Null, or a fiber for which there is no stack now: the carrier's loop.
[[gnu::always_inline]] inline context prepare_switch(thread_header* header, control_block* next,
                                                     bool must_look,
                                                     control_block* saving) noexcept {
  if (!next || must_look ||
      (next->flags & (fiber_flag::started | fiber_flag::fp_env)) != fiber_flag::started) {
    return prepare_switch_slow(header, next, must_look, saving);
  }
  return enter(header, *next);
}

// Leaves the running fiber `me` for `next`, or for the carrier's loop when there is none. Returns
// when somebody resumes it, with the header of the thread it is on then; still in a section.
[[gnu::always_inline]] inline thread_header* switch_from(thread_header* header, control_block& me,
                                                         control_block* next,
                                                         after_fn after) noexcept {
  save_thread_state(header, me);
  const context to = prepare_switch(header, next, me.flags & fiber_flag::when_left, &me);
  return change_stack(header, &me.ctx, to, bounds_of_chosen(header), after);
}

inline control_block* block_of(context* ctx) noexcept {
  static_assert(offsetof(control_block, ctx) == 0);
  return reinterpret_cast<control_block*>(ctx);
}

// After function of every park: opens the wait and publishes its tokens.
void after_park(void* header, context* from) noexcept;

// The body of a park, in a section before and after. `next` runs then; null: the carrier's loop.
[[gnu::always_inline]] inline thread_header* park_into(thread_header* header, control_block* next,
                                                       wait_kind kind, const void* on,
                                                       bool cancellable, publish_fn publish,
                                                       void* arg) noexcept {
  control_block& me = *header->fiber;
  processor& p = *header->held;
  me.waits_for = kind;
  me.waits_on = on;
  p.pending = {publish, arg, cancellable};
  header = switch_from(header, me, next, after_park);
  me.waits_for = wait_kind::none;
  return header;
}

}  // namespace weft::detail
