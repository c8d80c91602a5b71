#include "time/timed_park.hpp"

#include <weft/deadline.hpp>
#include <weft/operation_canceled.hpp>

#include "time/deadline_scope.hpp"
#include "time/timers.hpp"

namespace weft::detail {
namespace {
struct timed {
  publish_fn publish;
  void* arg;
  nanos deadline;
  timer_set* timers;
};

void publish_timed(control_block* parked, void* arg) noexcept {
  // Copied out first: with the first token out the fiber may run, and *arg lies in its frame.
  const timed t = *static_cast<timed*>(arg);
  const wait_token token{parked, parked->word.epoch()};
  if (t.publish) t.publish(parked, t.arg);
  // Last: a wait must not end before the rest of its tokens are out. A timer armed for a wait that
  // has ended meanwhile is stale and fires into nothing.
  t.timers->arm(t.deadline, token);
}

timer_set& timers_here() {
  thread_header* header = current();
  return *header->held->timers;
}
}  // namespace

wake_reason park_until(wait_kind kind, const void* on, bool cancellable, nanos deadline,
                       publish_fn publish, void* arg) {
  if (deadline == never || !on_fiber()) {
    return park(kind, on, cancellable, publish, arg, deadline);
  }
  // The processor that parks us is the one we are on now: nothing in between parks. A section keeps
  // it.
  thread_header* header = current();
  ++header->section;
  timed t{publish, arg, deadline, &timers_here()};
  try {
    t.timers->reserve_one();
  } catch (...) {
    --header->section;
    throw;
  }
  --header->section;
  const wake_reason reason = park_fiber(kind, on, cancellable, publish_timed, &t);
  if (reason != wake_reason::timeout) t.timers->note_stale();
  return reason;
}

nanos scope_deadline() noexcept {
  const thread_header* header = current();
  const control_block* me = header->fiber ? header->fiber : header->stand_in;
  return me ? me->deadline : never;
}

wait_end entry_check() noexcept {
  if (cancelled_now()) [[unlikely]]
    return wait_end::cancelled;
  const nanos scope = scope_deadline();
  if (scope != never && has_passed(scope)) [[unlikely]]
    return wait_end::scope_expired;
  return wait_end::woken;
}

wait_end wait(wait_kind kind, const void* on, nanos deadline, publish_fn publish, void* arg) {
  const nanos scope = scope_deadline();
  const nanos until = scope < deadline ? scope : deadline;
  switch (park_until(kind, on, cancellable_now(), until, publish, arg)) {
    case wake_reason::timeout:
      return scope < deadline ? wait_end::scope_expired : wait_end::timed_out;
    case wake_reason::cancel:
      return wait_end::cancelled;
    case wake_reason::closed:
      return wait_end::closed;
    default:
      return wait_end::woken;
  }
}

void throw_if_ended(wait_end end) {
  if (end == wait_end::cancelled) throw operation_canceled();
  if (end == wait_end::scope_expired) throw deadline_exceeded();
}
}  // namespace weft::detail
