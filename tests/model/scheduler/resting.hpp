// The monitor goes to rest, that is, to sleep without a time limit, while a processor leaves
// idleness: as long as a fiber computes the monitor ticks, or the fiber would wait for ever for
// what only a tick can give. A fiber here computes until it has seen one, so a monitor that rests
// beside it is a deadlock. Over rest (sched/monitor.cpp) and the ways out of idleness
// (sched/idle.cpp) as they are. The monitor decides to rest at any moment, not only after two
// silent ticks: what these saw may be past by then.
#pragma once

#include "world.hpp"

namespace sched_model {
namespace {

struct resting : world {
  gate ticked;

  void begin(std::uint32_t number, unsigned threads) {
    start(1);
    has_carriers(number);
    core.carriers[number] = &carriers[number];  // for a thread that is not to be had
    has_monitor(threads);
    using still = weft::detail::model::stillness;
    for (auto* word : {&core.frozen, &core.cancelling, &core.draining, &stackless.now}) {
      word->hold_still(still::constant);
    }
    core.foreign.wakes.hold_still(still::unread);
    processors[0].slot.hold_still(still::constant);
    processors[0].slot_pushes.hold_still(still::constant);
    processors[0].stamp.hold_still(still::statistic);
  }
  void tick() noexcept override { ticked.open(); }
  void compute() noexcept {
    computing = true;
    settle();
    ticked.close();
    ticked.wait(os.all);
  }
  void rest_and_tend() {
    rest(core);
    rested = true;
    settle();
    tend();
  }

 private:
  bool computing = false;
  bool rested = false;  // or would not
  // What follows once both have come about is the same in any order.
  void settle() noexcept {
    if (computing && rested) weft::detail::model::over = true;
  }
};

// A fiber becomes ready while the only processor goes idle. Its carrier finds it in Q2 and takes
// the processor back, or is woken. The waker is another thread, or the monitor before its decision.
template <bool Another>
struct work_for_the_last_one : model::test<work_for_the_last_one<Another>, Another ? 3 : 2>,
                               resting {
  wait_token waiting;
  void before() {
    begin(1, Another ? 3 : 2);
    without_timers();
    using still = weft::detail::model::stillness;
    core.starving.hold_still(still::constant);
    carriers[0].pinned_count.hold_still(still::constant);
    processors[0].state.hold_still(still::statistic);  // only for looks that do not matter here
    waiting = parked(0);
  }
  void run(fiber&, int) noexcept override {
    compute();
    finish();
  }
  void thread(unsigned index) {
    if (index == 0) return carry(0);
    if (index == 1) wake(waiting);
    if (Another && index == 1) return os.all.leave();
    rest_and_tend();
  }
  void after() { end(); }
};

// A call has lost its processor, which has gone idle since, and comes back to it.
struct call_comes_back : model::test<call_comes_back, 3>, resting {
  std::uint64_t blocked_at[2] = {};
  gate inside;

  void before() {
    begin(2, 3);
    without_timers();
    queue(0, 0);
  }
  void run(fiber&, int nth) noexcept override {
    if (nth == 0) {
      blocking_section call;
      inside.open();
      os.watched.wait(os.all);
    } else {
      leave_gate(core);  // where the destructor goes on
    }
    compute();
    finish();
  }
  void thread(unsigned index) {
    if (index < 2) return carry(index);
    inside.wait(os.all);
    retake_blocked(core, blocked_at);
    retake_blocked(core, blocked_at);
    const bool taken =
        !processor_state::is_blocking(processors[0].state.load(std::memory_order_relaxed));
    if (taken) os.watched.wait(os.all);  // else a tick takes it
    rest_and_tend();
  }
  void after() { end(); }
};

// A pinned fiber whose home is a spare becomes ready: the spare is woken with the idle processor of
// another.
struct idle_one_for_a_spare : model::test<idle_one_for_a_spare, 4>, resting {
  wait_token waiting;
  void before() {
    begin(2, 4);
    without_timers();
    waiting = parked(0);
    all[0].block.flags |= fiber_flag::pinned;
    extras.pinned_to = &carriers[1];
  }
  void run(fiber&, int) noexcept override {
    compute();
    finish();
  }
  void thread(unsigned index) {
    if (index < 2) return carry(index);
    if (index == 3) return rest_and_tend();
    wake(waiting);
    os.all.leave();
  }
  void after() { end(); }
};

// A fiber parks with a deadline, and the only processor goes idle. The monitor may look while it is
// idle and nobody is in the watch yet.
struct deadline_of_the_last_one : model::test<deadline_of_the_last_one, 2>, resting {
  void before() {
    begin(1, 2);
    queue(0, 0);
  }
  void run(fiber&, int nth) noexcept override {
    if (nth == 0) park(false, soon);
    compute();
    finish();
  }
  void thread(unsigned index) {
    if (index == 0) return carry(0);
    rest_and_tend();
  }
  void after() { end(); }
};

}  // namespace
}  // namespace sched_model
