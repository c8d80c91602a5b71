// Fibers that are to begin and get no stack: while one waits, no stack stays free for good. Over
// sched/stackless.cpp, the carriers' loop and the monitor as they are.
#pragma once

#include "world.hpp"

namespace sched_model {
namespace {

// A fiber cannot begin on one processor; on the other one a fiber ends, whose stack goes to that
// processor's cache, and the carrier goes idle. There is no second stack.
struct freed_beside_it : model::test<freed_beside_it, 3>, world {
  void before() {
    start(2);
    has_carriers(2);
    has_monitor(3);
    without_timers();
    cores.store(&core, std::memory_order_relaxed);
    queue(0, 0);
    all[0].block.flags = 0;  // not begun: needs a stack
    queue(1, 1);
  }
  void run(fiber& f, int) noexcept override {
    if (&f == &all[0]) return finish();
    current()->held->stacks.give(0, stack{});
  }
  void thread(unsigned index) {
    if (index < 2) return carry(index);
    tend();
  }
  void after() { end(); }
};

}  // namespace
}  // namespace sched_model
