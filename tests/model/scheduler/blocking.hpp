// The processor word of blocking(): a fiber leaves its processor while it is inside a call, and
// comes back to it unless the monitor has given it to another carrier; then it goes on wherever
// there is a processor. Over sched/blocking.cpp, retake_blocked (monitor.cpp), spares.cpp and
// idle.cpp as they are.
#pragma once

#include "world.hpp"

namespace sched_model {
namespace {

// A fiber is inside a call while the monitor looks twice, at any moment, and ticks on when all
// sleep; another fiber is queued behind it. With Spare, a spare carrier sleeps or is about to; else
// no thread is to be had, and a processor that was taken is put back.
template <bool Spare>
struct call_against_the_monitor : model::test<call_against_the_monitor<Spare>, Spare ? 3 : 2>,
                                  world {
  std::uint64_t blocked_at[2] = {};
  checked<int> queue_of_processor;

  void before() {
    start(1);
    has_carriers(Spare ? 2 : 1);
    has_monitor(Spare ? 3 : 2);
    core.carriers[Spare ? 2 : 1] = &carriers[2];
    for (auto* word : {&core.frozen, &core.cancelling, &core.draining, &stackless.now}) {
      word->hold_still(weft::detail::model::stillness::constant);
    }
    without_timers();
    queue(0, 0);
    queue(0, 1);
  }
  // What belongs to the owner of the processor: two at once are a race.
  void touch() noexcept { queue_of_processor = queue_of_processor + 1; }

  void run(fiber& f, int nth) noexcept override {
    touch();
    if (&f == &all[0] && nth == 0) {
      blocking_section call;
    } else if (&f == &all[0]) {
      leave_gate(core);  // where the destructor goes on
    }
    touch();
    finish(2);
  }
  void thread(unsigned index) {
    if (index == 0) return carry(0);
    if (index == (Spare ? 2u : 1u)) {
      retake_blocked(core, blocked_at);
      retake_blocked(core, blocked_at);
      tend();
    } else {
      carry(1);
    }
  }
  void after() { end(); }
};

}  // namespace
}  // namespace sched_model
