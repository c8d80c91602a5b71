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

// The only processor is idle, with a stack in its cache, and the monitor rests or is about to: a
// fiber of another runtime finds no stack. (The thread that lists it stands for that runtime, and
// the fiber runs here.) With Late, the monitor has looked as often as it does by itself, and sleeps
// without a time limit, or will.
template <bool Late>
struct asked_from_outside : model::test<asked_from_outside<Late>, 3>, world {
  gate tidied;
  int periods = 0;

  void before() {
    start(1);
    has_carriers(1);
    has_monitor(3);
    without_timers();
    cores.store(&core, std::memory_order_relaxed);
    all[0].block.flags = 0;
    all[0].block.word.begin(false);
    all[0].block.word.claim(1, wake_reason::wake);
    processors[0].stacks.give(0, stack{});
  }
  void end_period() noexcept override {
    if (++periods == 4) tidied.open();
  }
  void thread(unsigned index) {
    if (index == 0) return carry(0);
    if (index == 1) {
      if (Late) tidied.wait(os.all);
      wait_for_stack(all[0].block);
      return os.all.leave();
    }
    if (Late) os.watched.wait(os.all);
    rest(core);
    tend();
  }
  void after() { end(); }
};

}  // namespace
}  // namespace sched_model
