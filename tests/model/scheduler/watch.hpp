// How a carrier sleeps and is woken, on its futex or in the watch: no wake is lost, no deadline is
// slept over, and a processor never has two carriers. And invariant W: while a processor is idle
// and a timer is armed, somebody blocks in the watch no longer than until then, or will within a
// tick. Over sched/idle.cpp and the loop as they are.
#pragma once

#include "world.hpp"

namespace sched_model {
namespace {

// A producer against the only processor going idle, in the watch.
struct work_against_the_watch : model::test<work_against_the_watch, 2>, world {
  wait_token waiting;
  void before() {
    start(1);
    has_carriers(1);
    plain();
    without_timers();
    waiting = parked(0);
  }
  void thread(unsigned index) {
    if (index == 0) return carry(0);
    wake(waiting);
  }
  void after() { end(); }
};

// Two processors: one of their carriers goes to the watch, the other to its futex.
struct work_against_the_futex : model::test<work_against_the_futex, 3>, world {
  wait_token waiting;
  void before() {
    start(2);
    has_carriers(2);
    plain();
    without_timers();
    waiting = parked(0);
  }
  void thread(unsigned index) {
    if (index < 2) return carry(index);
    wake(waiting);
  }
  void after() { end(); }
};

// A fiber parks with a deadline, and its processor goes idle; so does the other one. What the last
// holder published, an earlier time, is still there. The handshake alone keeps the deadline,
// without the monitor.
struct timer_against_the_watch : model::test<timer_against_the_watch, 2>, world {
  void before() {
    start(2);
    has_carriers(2);
    plain();
    core.watch_until.store(soon - 1, std::memory_order_relaxed);
    queue(1, 0);
  }
  void run(fiber&, int nth) noexcept override {
    if (nth == 0) park(false, soon);
    finish();
  }
  void thread(unsigned index) { carry(index); }
  void after() { end(); }
};

// Invariant W: a fiber parks with a deadline, and its processor goes on with one that computes
// until the deadline has come; the other carrier is in the watch, or (not Watched) on its way
// there.
template <bool Watched>
struct timer_of_a_busy_one : model::test<timer_of_a_busy_one<Watched>, 3>, world {
  void before() {
    start(2);
    has_carriers(2);
    has_monitor(3);
    queue(1, 0);
    all[1].block.word.begin(false);
    all[1].block.word.claim(1, wake_reason::wake);
  }
  void run(fiber& f, int nth) noexcept override {
    if (&f == &all[1]) return all[0].ran.wait(os.all);
    if (nth == 0 && Watched) os.watched.wait(os.all);
    if (nth == 0) {
      current()->held->ring.push(&all[1].block);  // by its owner, who computes on with it
      park(false, soon);
    }
    f.ran.open();
    finish();
  }
  void thread(unsigned index) {
    if (index < 2) return carry(index);
    tend();
  }
  void after() { end(); }
};

// Invariant W: whoever holds the watch is woken for work that computes until the deadline has come;
// the other one is on its futex, or on its way there.
struct watch_left_free : model::test<watch_left_free, 3>, world {
  void before() {
    start(2);
    has_carriers(2);
    has_monitor(3);
    queue(0, 0);
    queue(1, 1);
  }
  void run(fiber& f, int nth) noexcept override {
    if (&f == &all[1]) {
      if (nth == 0) park(false, soon);
      f.ran.open();
      return finish();
    }
    all[1].ran.wait(os.all);
  }
  void thread(unsigned index) {
    if (index < 2) return carry(index);
    tend();
  }
  void after() { end(); }
};

// Two fibers that need one another, two processors: whoever finds the first must see to it that the
// second is found too.
struct both_must_run : model::test<both_must_run, 3>, world {
  wait_token waiting[2];
  void before() {
    start(2);
    has_carriers(2);
    plain();
    without_timers();
    waiting[0] = parked(0);
    waiting[1] = parked(1);
    wake(waiting[0]);
  }
  void run(fiber& f, int) noexcept override {
    f.ran.open();
    all[&f == &all[0] ? 1 : 0].ran.wait(os.all);
    finish(2);
  }
  void thread(unsigned index) {
    if (index < 2) return carry(index);
    wake(waiting[1]);
  }
  void after() { end(); }
};

}  // namespace
}  // namespace sched_model
