// How a carrier sleeps and is woken, on its futex or in the watch: no wake is lost, no deadline
// is slept over, and a processor never has two carriers. And invariant W: while a processor is
// idle and a timer is armed, somebody blocks in the watch no longer than until then, or will
// within a tick.
#include "sleep_world.hpp"

namespace {

using namespace sleeping;

// A producer against the only processor going idle, in the watch.
struct work_against_the_watch : model::test<work_against_the_watch, 2> {
  world<> w;
  task work;
  void before() { w.start(1); }
  void thread(unsigned index) {
    if (index == 0) {
      w.loop(w.carriers[0]);
    } else {
      w.produce(work);
    }
  }
  void after() {
    w.settle();
    w.check_settled();
  }
};

// One holds the watch already, the other goes to its futex.
struct work_against_the_futex : model::test<work_against_the_futex, 2> {
  world<> w;
  task work;
  void before() {
    w.start(2);
    w.loop(w.carriers[0]);
  }
  void thread(unsigned index) {
    if (index == 0) {
      w.loop(w.carriers[1]);
    } else {
      w.produce(work);
    }
  }
  void after() {
    w.settle();
    w.check_settled();
  }
};

// Two processors go idle while one has armed a timer. What the last holder published, an earlier
// time, is still there. The handshake alone keeps the deadline, without the monitor.
struct timer_against_the_watch : model::test<timer_against_the_watch, 2> {
  world<> w;
  void before() {
    w.start(2);
    w.watch_until.store(soon - 1, std::memory_order_relaxed);
  }
  void thread(unsigned index) {
    if (index == 1) w.arm(1, soon);
    w.loop(w.carriers[index]);
  }
  void after() {
    w.settle();
    w.check_settled();
  }
};

// Invariant W: a processor arms a timer and computes for ever; the other one is in the watch.
template <bool Ticking>
struct timer_of_a_busy_one : model::test<timer_of_a_busy_one<Ticking>, 2> {
  world<true, Ticking> w;
  void before() { w.start(2); }
  void thread(unsigned index) {
    if (index == 0) {
      w.loop(w.carriers[0]);
    } else {
      w.arm(1, soon);
      w.carriers[1].busy = true;
    }
  }
  void after() {
    w.settle();
    w.tick();
    w.check_settled();
  }
};

// Invariant W: whoever held the watch is woken for work that never ends; the other one is on its
// futex.
struct watch_left_free : model::test<watch_left_free, 2> {
  world<> w;
  task work;
  void before() {
    w.start(2);
    w.tasks_end = false;
    w.arm(1, soon);
    w.loop(w.carriers[0]);
  }
  void thread(unsigned index) {
    if (index == 0) {
      w.loop(w.carriers[1]);
    } else {
      w.produce(work);
    }
  }
  void after() {
    w.settle();
    w.tick();
    w.check_settled();
  }
};

// A busy processor looks at readiness while a carrier in the watch is handed a processor.
template <bool Level>
struct kick_against_a_look : model::test<kick_against_a_look<Level>, 2> {
  world<Level> w;
  task work;
  void before() {
    w.start(2);
    w.carriers[1].busy = true;
    w.loop(w.carriers[0]);
  }
  void thread(unsigned index) {
    if (index == 0) {
      w.produce(work);
    } else {
      w.poll_now();
    }
  }
  void after() {
    w.settle();
    w.check_settled();
  }
};

// A carrier comes back from blocking() without a processor and takes the idle one, while its
// former carrier goes to sleep or is woken with it.
struct taken_while_idle : model::test<taken_while_idle, 3> {
  world<> w;
  task work;
  void before() { w.start(1); }
  void thread(unsigned index) {
    if (index == 0) {
      w.loop(w.carriers[0]);
    } else if (index == 1) {
      if (w.take_idle_processor(w.carriers[2])) w.loop(w.carriers[2]);
    } else {
      w.produce(work);
    }
  }
  void after() {
    w.settle();
    w.tick();
    check(w.inject.size() == 0, "the work lies");
    const int holders = (w.carriers[0].held ? 1 : 0) + (w.carriers[2].held ? 1 : 0);
    check(holders + (w.processors[0].listed ? 1 : 0) == 1, "two carriers on a processor, or none");
  }
};

const char* const handed_on =
    "orders the holders' stores to watch_until, which the checker keeps in order anyway";
const char* const only_the_word = "whoever reads this value reads nothing else of the writer's";
const char* const look_follows = "is_notified, which acquires, comes before `handed` is read";

}  // namespace

int main() {
  using model::operation;
  return model::run(
      {
          model::bounded<work_against_the_watch>(4, "work against going into the watch"),
          model::bounded<work_against_the_futex>(4, "work against going to the futex"),
          model::bounded<timer_against_the_watch>(4, "a timer against taking the watch"),
          model::bounded<timer_of_a_busy_one<true>>(4, "W: the timer of a processor that computes"),
          model::bounded<watch_left_free>(3, "W: the watch's holder runs for ever"),
          model::bounded<kick_against_a_look<true>>(4, "a kick against a busy processor's look"),
          model::bounded<taken_while_idle>(3, "an idle processor taken by another carrier"),
          model::broken<kick_against_a_look<false>>(4, "an edge-triggered kick"),
          model::broken<timer_of_a_busy_one<false>>(4, "a monitor that trusts the watch"),
      },
      "model/sleep_world.hpp",
      {
          {"rest", operation::read_modify_write, std::memory_order_acquire, handed_on},
          {"rest", operation::read_modify_write, std::memory_order_release, handed_on},
          {"leave_watch", operation::store, std::memory_order_relaxed, handed_on},
          {"hold_watch", operation::read_modify_write, std::memory_order_acquire, only_the_word},
          {"hold_watch", operation::read_modify_write, std::memory_order_release, look_follows},
          {"leave_watch", operation::read_modify_write, std::memory_order_acquire, only_the_word},
          {"leave_watch", operation::read_modify_write, std::memory_order_release, look_follows},
          {"sleep_on_futex", operation::read_modify_write, std::memory_order_acquire,
           only_the_word},
          {"wake_one", operation::read_modify_write, std::memory_order_release, only_the_word},
      });
}
