// How a carrier sleeps and is woken, on its futex or in the watch: no wake is lost, no deadline is
// slept over, and a processor never has two carriers. And invariant W: while a processor is idle and a
// timer is armed, somebody blocks in the watch no longer than until then, or will within a tick.
//
// Production: idle_word, inject_queue, the spin lock. Mirrored: go_idle, take_back, watch,
// sleep_on_futex, wake_one, hand_over_locked, carry_out, take_idle_processor (sched/idle.cpp), a tick of
// the monitor, and the kernel: a futex, and an epoll with an eventfd in it. A thread of the model ends
// where its carrier would sleep in the kernel; `settle` then resumes those that the kernel would.
#include "model.hpp"

#include "base/spin_lock.hpp"
#include "queue/inject_queue.hpp"
#include "sched/idle.hpp"

namespace {

using model::check;
using weft::detail::atomic;
using weft::detail::idle_word;
using weft::detail::inject_queue;
using weft::detail::spin_guard;
using weft::detail::spin_lock;
using nanos = int;

constexpr nanos never = 1000;
constexpr nanos soon = 5;
enum sleep_state : std::uint32_t { awake, on_futex, in_watch, notified };
enum class place { user, futex, poll };

struct task {
  task* next = nullptr;
};

struct carrier;

struct processor {
  bool listed = false;         // guarded by idle_lock
  carrier* sleeper = nullptr;  // likewise
  model::checked<int> queue;   // what belongs to the owner
};

struct carrier {
  atomic<std::uint32_t> sleep{awake};
  model::checked<processor*> handed;
  place at = place::user;       // guarded by the kernel lock
  bool woken = false;           // likewise: the futex has been woken
  nanos until = never;          // of its poll
  processor* held = nullptr;    // its own
  processor* idle_with = nullptr;
  bool searching = false;
  bool busy = false;            // runs a task that never ends
};

// Level: the eventfd is level-triggered; else its edge may go to a poll that does not block.
// Ticking: the monitor compares the watch with the timers.
template <bool Level = true, bool Ticking = true>
struct world {
  inject_queue<task> inject;
  idle_word idle;
  spin_lock idle_lock;
  atomic<std::uint32_t> watch{0};
  atomic<nanos> watch_until{never};
  atomic<nanos> earliest_of[2]{};
  processor processors[2];
  carrier carriers[3];
  int workers = 2;
  bool tasks_end = true;

  spin_lock kernel;
  bool kicked = false;  // guarded by it: the eventfd is ready

  void start(int processors_used) {
    workers = processors_used;
    for (int i = 0; i < 2; ++i) {
      earliest_of[i].store(never, std::memory_order_relaxed);
      carriers[i].held = i < workers ? &processors[i] : nullptr;
    }
  }

  // -- the kernel -------------------------------------------------------------------------------------
  // False: it sleeps.
  bool futex_wait(carrier& me) {
    const spin_guard guard(kernel);
    if (me.sleep.load(std::memory_order_relaxed) != on_futex) return true;
    me.at = place::futex;
    return false;
  }
  void futex_wake(carrier& c) {
    const spin_guard guard(kernel);
    if (c.at == place::futex) c.woken = true;
  }
  void kick() {
    const spin_guard guard(kernel);
    kicked = true;
  }
  // False: it sleeps.
  bool poll(carrier& me, nanos until) {
    const spin_guard guard(kernel);
    if (kicked) {
      kicked = false;
      return true;
    }
    me.at = place::poll;
    me.until = until;
    return false;
  }
  // A busy processor's look.
  void poll_now() {
    const spin_guard guard(kernel);
    if (!Level) kicked = false;
  }

  // -- sched/idle.cpp ---------------------------------------------------------------------------------
  nanos earliest() {
    nanos first = never;
    for (int i = 0; i < workers; ++i) {
      const nanos here = earliest_of[i].load(std::memory_order_seq_cst);
      first = here < first ? here : first;
    }
    return first;
  }

  void attach(carrier& me, processor& p) {
    me.held = &p;
    p.queue = p.queue + 1;
  }

  bool is_notified(carrier& me) { return me.sleep.load(std::memory_order_acquire) == notified; }

  void accept(carrier& me) {
    me.searching = true;
    attach(me, *me.handed.get());
  }

  bool take_back(carrier& me, bool to_search) {
    const spin_guard guard(idle_lock);
    processor& p = *me.idle_with;
    if (!p.listed || p.sleeper != &me) return false;
    p.listed = false;
    idle.woken(to_search);
    me.searching = to_search;
    attach(me, p);
    return true;
  }

  void wake_one() {
    carrier* who = nullptr;
    std::uint32_t found = awake;
    {
      const spin_guard guard(idle_lock);
      processor* chosen = nullptr;
      for (processor& p : processors) {
        if (!p.listed) continue;
        if (!chosen || chosen->sleeper->sleep.load(std::memory_order_relaxed) == in_watch) chosen = &p;
      }
      if (!chosen || idle.look().searching > 0) return;
      chosen->listed = false;
      idle.woken(true);
      who = chosen->sleeper;
      who->handed = chosen;
      found = who->sleep.exchange(notified, std::memory_order_acq_rel);
    }
    if (found == on_futex) futex_wake(*who);
    if (found == in_watch) kick();
  }

  bool take_idle_processor(carrier& me) {
    const spin_guard guard(idle_lock);
    for (processor& p : processors) {
      if (!p.listed) continue;
      p.listed = false;
      idle.woken(false);
      attach(me, p);
      return true;
    }
    return false;
  }

  // False: asleep in the kernel.
  bool hold_watch(carrier& me) {
    for (;;) {
      const nanos until = earliest();
      watch_until.store(until, std::memory_order_seq_cst);
      if (earliest() >= until) break;
    }
    std::uint32_t expected = awake;
    if (!me.sleep.compare_exchange_strong(expected, in_watch, std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      return true;
    }
    return poll(me, watch_until.load(std::memory_order_relaxed));
  }

  // True: it has a processor.
  bool leave_watch(carrier& me) {
    std::uint32_t expected = in_watch;
    me.sleep.compare_exchange_strong(expected, awake, std::memory_order_acq_rel,
                                     std::memory_order_acquire);
    watch.store(0, std::memory_order_release);
    if (is_notified(me)) {
      accept(me);
      return true;
    }
    if (take_back(me, false)) return true;
    if (!is_notified(me)) return false;
    accept(me);
    return true;
  }

  void sleep_on_futex(carrier& me) {
    if (earliest() < watch_until.load(std::memory_order_seq_cst)) kick();
    std::uint32_t expected = awake;
    if (!me.sleep.compare_exchange_strong(expected, on_futex, std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      return;
    }
    while (!is_notified(me) && futex_wait(me)) {
    }
  }

  // The third part of go_idle.
  void rest(carrier& me) {
    for (;;) {
      if (watch.exchange(1, std::memory_order_acq_rel) == 0) {
        if (!hold_watch(me) || leave_watch(me)) return;
      } else {
        sleep_on_futex(me);
        if (me.at != place::futex) accept(me);
        return;
      }
    }
  }

  void go_idle(carrier& me) {
    {
      const spin_guard guard(idle_lock);
      processor& p = *me.held;
      p.queue = p.queue + 1;
      me.sleep.store(awake, std::memory_order_relaxed);
      me.held = nullptr;
      me.idle_with = &p;
      p.listed = true;
      p.sleeper = &me;
      idle.went_idle(me.searching);
      me.searching = false;
    }
    if (inject.size() > 0 && take_back(me, true)) return;
    rest(me);
  }

  // A carrier in its loop, until it sleeps or has something to do for ever.
  void loop(carrier& me) {
    while (me.held && !me.busy) {
      if (!me.searching) me.searching = idle.try_search(1);
      if (me.searching && inject.size() > 0 && !inject.pop(1).empty()) {
        me.searching = false;
        if (idle.found()) wake_one();
        me.busy = !tasks_end;
      } else {
        go_idle(me);
      }
    }
  }

  void produce(task& t) {
    inject.push(&t);
    if (idle.should_wake()) wake_one();
  }

  // -- afterwards -------------------------------------------------------------------------------------
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (carrier& c : carriers) {
        if (c.at == place::futex && c.woken) {
          c.woken = false;
          if (!is_notified(c)) continue;  // a late wake of an earlier sleep
          c.at = place::user;
          accept(c);
        } else if (c.at == place::poll && kicked) {
          kicked = false;
          c.at = place::user;
          if (!leave_watch(c)) rest(c);
        } else {
          continue;
        }
        loop(c);
        moved = true;
      }
    }
  }

  void tick() {
    const bool watch_free = watch.load(std::memory_order_relaxed) == 0;
    if (Ticking && !watch_free && earliest() < watch_until.load(std::memory_order_relaxed)) kick();
    if (idle.should_wake() && watch_free) wake_one();
    settle();
  }

  void check_settled() {
    bool any_idle = false;
    int watchers = 0;
    nanos until = never;
    for (carrier& c : carriers) {
      if (c.at == place::user) continue;
      check(c.sleep.load(std::memory_order_relaxed) != notified, "a wake is lost");
      if (c.at != place::poll) continue;
      ++watchers;
      until = c.until;
    }
    for (processor& p : processors) any_idle = any_idle || p.listed;
    check(watchers <= 1, "two hold the watch");
    if (!any_idle) return;
    check(inject.size() == 0, "work lies, a processor sleeps");
    check(watchers == 1, "a processor is idle and nobody holds the watch");
    check(until <= earliest(), "the watch will sleep over a deadline");
  }
};

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

// One holds the watch already or is about to, the other goes to its futex.
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

// Two processors go idle while one has armed a timer. What the last holder published, an earlier time,
// is still there. The handshake alone keeps the deadline, without the monitor.
struct timer_against_the_watch : model::test<timer_against_the_watch, 2> {
  world<> w;
  void before() {
    w.start(2);
    w.watch_until.store(soon - 1, std::memory_order_relaxed);
  }
  void thread(unsigned index) {
    if (index == 1) w.earliest_of[1].store(soon, std::memory_order_seq_cst);
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
      w.earliest_of[1].store(soon, std::memory_order_relaxed);
      w.carriers[1].busy = true;
    }
  }
  void after() {
    w.settle();
    w.tick();
    w.check_settled();
  }
};

// Invariant W: whoever held the watch is woken for work that never ends; the other one is on its futex.
struct watch_left_free : model::test<watch_left_free, 2> {
  world<> w;
  task work;
  void before() {
    w.start(2);
    w.tasks_end = false;
    w.earliest_of[1].store(soon, std::memory_order_relaxed);
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

// A carrier comes back from blocking() without a processor and takes the idle one, while its former
// carrier goes to sleep or is woken with it.
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
    "orders the holders' stores to watch_until, which the checker executes in order anyway";
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
      "model/watch.cpp",
      {
          {"rest", operation::read_modify_write, std::memory_order_acquire, handed_on},
          {"rest", operation::read_modify_write, std::memory_order_release, handed_on},
          {"leave_watch", operation::store, std::memory_order_relaxed, handed_on},
          {"hold_watch", operation::read_modify_write, std::memory_order_acquire, only_the_word},
          {"hold_watch", operation::read_modify_write, std::memory_order_release, look_follows},
          {"leave_watch", operation::read_modify_write, std::memory_order_acquire, only_the_word},
          {"leave_watch", operation::read_modify_write, std::memory_order_release, look_follows},
          {"sleep_on_futex", operation::read_modify_write, std::memory_order_acquire, only_the_word},
          {"wake_one", operation::read_modify_write, std::memory_order_release, only_the_word},
      });
}
