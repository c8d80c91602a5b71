// What watch.cpp checks: carriers that go idle, sleep on a futex or in the watch, and are woken.
//
// Production: idle_word, inject_queue, the spin lock. Mirrored, order for order: go_idle,
// take_back, watch, sleep_on_futex, wake_one, hand_over_locked, carry_out, take_idle_processor
// (sched/idle.cpp), a tick of the monitor. `settle` resumes the carriers that the kernel would.
#pragma once

#include "sleep_kernel.hpp"

#include "queue/inject_queue.hpp"
#include "sched/idle.hpp"

namespace sleeping {

using weft::detail::idle_word;
using weft::detail::inject_queue;

// Ticking: the monitor compares the watch with the timers.
template <bool Level = true, bool Ticking = true>
struct world : sleep_kernel<Level> {
  using kernel = sleep_kernel<Level>;
  using kernel::futex_wait;
  using kernel::futex_wake;
  using kernel::kick;
  using kernel::kicked;
  using kernel::poll;

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

  void start(int processors_used) {
    workers = processors_used;
    for (int i = 0; i < 2; ++i) {
      earliest_of[i].store(never, std::memory_order_relaxed);
      carriers[i].held = i < workers ? &processors[i] : nullptr;
    }
  }

  // -- sched/idle.cpp --
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
        // The one in the watch last.
        if (!chosen || chosen->sleeper->sleep.load(std::memory_order_relaxed) == in_watch) {
          chosen = &p;
        }
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

  // A fiber of this processor parks with a deadline.
  void arm(int processor, nanos deadline) {
    earliest_of[processor].store(deadline, std::memory_order_seq_cst);
  }

  void produce(task& t) {
    inject.push(&t);
    if (idle.should_wake()) wake_one();
  }

  // -- afterwards --
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
    if (Ticking && !watch_free && earliest() < watch_until.load(std::memory_order_relaxed)) {
      kick();
    }
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

}  // namespace sleeping
