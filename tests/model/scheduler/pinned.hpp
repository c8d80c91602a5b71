// Pinned fibers: a fiber that may run on one kernel thread only is woken while that thread has no
// processor. Over make_pinned_ready (sched/ready.cpp) and the starving seam (sched/idle.cpp,
// loop.cpp) as they are.
#pragma once

#include "world.hpp"

namespace sched_model {
namespace {

// One processor, two carriers: the fiber's home is the one without. Busy: the other carrier has a
// fiber to run first.
template <bool Busy>
struct woken_at_a_spare : model::test<woken_at_a_spare<Busy>, 3>, world {
  wait_token waiting;
  void before() {
    start(1);
    has_carriers(2);
    for (auto* word :
         {&core.frozen, &core.monitor_resting, &core.cancelling, &core.draining, &stackless.now}) {
      word->hold_still(weft::detail::model::stillness::constant);
    }
    core.foreign.wakes.hold_still(weft::detail::model::stillness::unread);
    processors[0].state.hold_still(weft::detail::model::stillness::unread);
    processors[0].holder.hold_still(weft::detail::model::stillness::unread);
    processors[0].slot.hold_still(weft::detail::model::stillness::constant);
    without_timers();
    waiting = parked(0);
    all[0].block.flags |= fiber_flag::pinned;
    extras.pinned_to = &carriers[1];
    if (Busy) queue(0, 1);
  }
  void run(fiber& f, int) noexcept override {
    if (&f == &all[0]) check(thread_index() == 1, "a pinned fiber runs elsewhere");
    finish(Busy ? 2 : 1);
  }
  void thread(unsigned index) {
    if (index < 2) return carry(index);
    wake(waiting);
  }
  void after() { end(); }
};

}  // namespace
}  // namespace sched_model
