// Type-stable reuse of runtimes: a foreign thread is half way through waking the last fiber of a
// runtime while that fiber ends, the runtime with it, and its core begins another life. Over
// sched/ready.cpp, drain.hpp and core.cpp as they are.
#pragma once

#include "world.hpp"

namespace sched_model {
namespace {

struct waker_of_the_last_fiber : model::test<waker_of_the_last_fiber, 3>, world {
  wait_token waiting;
  void before() {
    start(1);
    core.in_use.store(true, std::memory_order_relaxed);
    cores.store(&core, std::memory_order_relaxed);
    has_carriers(1);
    // Of a wait that is over: the watch may end by itself at any time.
    events.arm(0, soon, {&all[1].block, 99});
    waiting = parked(0);
    processors[0].count.spawned.store(1, std::memory_order_relaxed);
  }
  void run(fiber&, int) noexcept override {
    bump_release(current()->held->count.finished);
    tell_if_draining(core);
  }
  void thread(unsigned index) {
    if (index == 0) return carry(0);
    if (index == 1) return wake(waiting);
    check(wait_drained(core, never), "drained");
    joins = true;
    stop_threads(core);
    os.open = false;  // the descriptors of the watch
    recycle_core(core);
    check(&obtain_core(1) == &core, "the core is used again");
    // What the next life begins with; a late waker of the former one would spoil it.
    check(core.inject.size() == 0, "work of a former life");
    check(core.idle.look().idle == 0 && core.idle.look().searching == 0, "idle in a former life");
    weft::detail::model::over = true;
  }
  void after() {
    check(core.inject.size() == 0, "a late push");
    check(core.foreign_visits.load(std::memory_order_relaxed) == 0, "a visit without end");
    check(core.idle.look().idle == 0 && core.idle.look().searching == 0, "a late wake");
    end();
  }
};

}  // namespace
}  // namespace sched_model
