#include "time/timed_park.hpp"

#include <weft/deadline.hpp>
#include <weft/operation_canceled.hpp>

#include "sched/explorer.hpp"
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

// The fiber's part. The processor that parks it is the one it is on now: nothing in between parks,
// and a section keeps it.
wake_reason park_fiber_until(thread_header* header, wait_kind kind, const void* on,
                             bool cancellable, nanos deadline, publish_fn publish, void* arg) {
  if (deadline == never) return park_fiber(kind, on, cancellable, publish, arg);
  timed t{publish, arg, deadline, nullptr};
  {
    const section inside(header);
    t.timers = header->held->timers;
    t.timers->reserve_one();
  }
  const wake_reason reason = park_fiber(kind, on, cancellable, publish_timed, &t);
  if (reason != wake_reason::timeout) t.timers->note_stale();
  return reason;
}

const control_block* waiter_of(const thread_header* header) noexcept {
  return header->fiber ? header->fiber : header->stand_in;
}
}  // namespace

nanos scope_deadline() noexcept {
  const thread_header* header = current();
  const control_block* me = waiter_of(header);
  return me ? scope_deadline_on(header, *me) : never;
}

namespace {
// Out of line, these two, so that the look of a fiber to which nothing has happened needs no frame.
[[gnu::noinline]] wait_end deadline_check(const thread_header* header,
                                          const control_block& me) noexcept {
  const nanos deadline = scope_deadline_on(header, me);
  return deadline != never && has_passed_here(header, deadline) ? wait_end::scope_expired
                                                                : wait_end::woken;
}

[[gnu::noinline]] wait_end entry_check_slow() noexcept {
  explore_point(point_kind::cancellation);
  const thread_header* header = current();
  const control_block* me = waiter_of(header);
  if (header->fiber && stop_requested(*me) && cancellable_on(header)) return wait_end::cancelled;
  return deadline_check(header, *me);
}
}  // namespace

wait_end entry_check() noexcept {
  const thread_header* header = current();
  const control_block* me = waiter_of(header);
  if (!me) return wait_end::woken;
  if (header->fiber && stop_or_explored(*me)) [[unlikely]]
    return entry_check_slow();
  return me->deadline == never ? wait_end::woken : deadline_check(header, *me);
}

wait_end wait(wait_kind kind, const void* on, nanos deadline, publish_fn publish, void* arg) {
  thread_header* header = current();
  const control_block* me = waiter_of(header);
  const nanos scope = me ? scope_deadline_on(header, *me) : never;
  const nanos until = scope < deadline ? scope : deadline;
  const wake_reason reason =
      header->fiber
          ? park_fiber_until(header, kind, on, cancellable_on(header), until, publish, arg)
          : park(kind, on, false, publish, arg, until);
  switch (reason) {
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

wait_end wait_plainly(wait_kind kind, const void* on, nanos deadline, publish_fn publish,
                      void* arg) {
  thread_header* header = current();
  const wake_reason reason = header->fiber
                                 ? park_fiber_until(header, kind, on, false, deadline, publish, arg)
                                 : park(kind, on, false, publish, arg, deadline);
  return reason == wake_reason::timeout ? wait_end::timed_out : wait_end::woken;
}

void throw_if_ended(wait_end end) {
  if (end == wait_end::cancelled) throw operation_canceled();
  if (end == wait_end::scope_expired) throw deadline_exceeded();
}
}  // namespace weft::detail
