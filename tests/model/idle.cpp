// The idle protocol: no work stays in the inject queue while a processor sleeps and nobody looks.
//
// Production: idle_word, inject_queue and the spin lock. The rest of sched/idle.cpp and loop.cpp is
// mirrored below in a few lines (it needs carriers, futexes and a watch): what a change there
// breaks must be changed here too. A processor that runs a task runs it for ever here, the worst
// case: so every task beyond the first must find another processor while one is idle.
#include "sched/idle.hpp"

#include "base/spin_lock.hpp"
#include "model.hpp"
#include "queue/inject_queue.hpp"

namespace {

using model::check;
using weft::detail::idle_word;
using weft::detail::inject_queue;
using weft::detail::spin_guard;
using weft::detail::spin_lock;

struct task {
  task* next = nullptr;
};

template <std::uint32_t Processors>
struct runtime {
  static constexpr std::uint32_t search_limit = Processors > 1 ? Processors / 2 : 1;

  struct processor {
    bool listed = false;     // guarded by idle_lock
    bool woken = false;      // likewise: taken off the list by a waker, to search
    bool running = false;    // its own
    bool searching = false;  // its own
  };

  inject_queue<task> inject;
  idle_word idle;
  spin_lock idle_lock;
  processor all[Processors];

  // wake_one in sched/idle.cpp.
  void wake_one() {
    const spin_guard guard(idle_lock);
    for (processor& p : all) {
      if (!p.listed) continue;
      if (idle.look().searching > 0) return;
      p.listed = false;
      p.woken = true;
      idle.woken(true);
      return;
    }
  }

  // make_ready on a foreign thread, in sched/ready.cpp.
  void produce(task* t) {
    inject.push(t);
    if (idle.should_wake()) wake_one();
  }

  // take_back in sched/idle.cpp: true: it is ours again and searches.
  bool take_back(processor& p) {
    const spin_guard guard(idle_lock);
    if (!p.listed) return false;
    p.listed = false;
    idle.woken(true);
    return true;
  }

  // A processor with nothing of its own, until it runs a task or sleeps. One that finds on its way
  // to sleep that it has been woken goes on as a searcher, as the woken one does at once.
  void look_for_work(processor& p) {
    for (;;) {
      if (!p.searching) p.searching = idle.try_search(search_limit);
      if (p.searching && inject.size() > 0 && !inject.pop(1).empty()) {
        p.running = true;
        p.searching = false;
        if (idle.found()) wake_one();
        return;
      }
      {
        const spin_guard guard(idle_lock);
        p.listed = true;
        idle.went_idle(p.searching);
        p.searching = false;
      }
      if (inject.size() == 0) return;
      if (!take_back(p)) return;
      p.searching = true;
    }
  }

  // The invariant, with everything at rest. A woken processor has yet to search, so it answers for
  // whatever lies there now.
  void check_at_rest() {
    bool asleep = false;
    bool woken = false;
    for (processor& p : all) {
      asleep = asleep || p.listed;
      woken = woken || p.woken;
    }
    if (inject.size() > 0) check(!asleep || woken, "work lies, a processor sleeps, nobody looks");
    const idle_word::view now = idle.look();
    std::uint32_t listed = 0;
    std::uint32_t searching = 0;
    for (processor& p : all) {
      listed += p.listed ? 1 : 0;
      searching += p.woken ? 1 : 0;
    }
    check(now.idle == listed, "the word miscounts the idle");
    check(now.searching == searching, "the word miscounts the searchers");
  }

  // What the woken ones do next.
  void let_the_woken_look() {
    for (processor& p : all) {
      if (!p.woken) continue;
      p.woken = false;
      p.searching = true;
      look_for_work(p);
    }
  }
};

// A processor gives up looking while a producer pushes.
struct one_producer : model::test<one_producer, 2> {
  runtime<1> rt;
  task work;

  void thread(unsigned index) {
    if (index == 0) {
      rt.produce(&work);
    } else {
      rt.look_for_work(rt.all[0]);
    }
  }

  void after() {
    rt.check_at_rest();
    rt.let_the_woken_look();
    check(rt.all[0].running, "the task does not run");
  }
};

// Two producers, one processor: the second may rely on the first one's wake.
struct two_producers : model::test<two_producers, 3> {
  runtime<1> rt;
  task work[2];

  void thread(unsigned index) {
    if (index < 2) {
      rt.produce(&work[index]);
    } else {
      rt.look_for_work(rt.all[0]);
    }
  }

  void after() {
    rt.check_at_rest();
    rt.let_the_woken_look();
    check(rt.all[0].running, "no task runs");
  }
};

// One processor finds a task and runs it for ever; the producer of the next one may have relied on
// it as a searcher, so it wakes the other.
struct searcher_finds_work : model::test<searcher_finds_work, 3> {
  runtime<2> rt;
  task work[2];

  void before() { rt.inject.push(&work[0]); }

  void thread(unsigned index) {
    if (index == 0) {
      rt.produce(&work[1]);
    } else {
      rt.look_for_work(rt.all[index - 1]);
    }
  }

  void after() {
    rt.check_at_rest();
    rt.let_the_woken_look();
    rt.check_at_rest();
    rt.let_the_woken_look();
    check(rt.inject.size() == 0 && rt.all[0].running && rt.all[1].running,
          "two tasks and two processors, and not both run");
  }
};

// The other one sleeps already: it must be woken, by the producer or by the one that found the
// first.
struct other_sleeps : model::test<other_sleeps, 2> {
  runtime<2> rt;
  task work[2];

  void before() {
    rt.look_for_work(rt.all[1]);
    rt.inject.push(&work[0]);
    rt.all[0].searching = rt.idle.try_search(1);
  }

  void thread(unsigned index) {
    if (index == 0) {
      rt.produce(&work[1]);
    } else {
      rt.look_for_work(rt.all[0]);
    }
  }

  void after() {
    rt.check_at_rest();
    rt.let_the_woken_look();
    check(rt.inject.size() == 0 && rt.all[0].running && rt.all[1].running,
          "two tasks and two processors, and not both run");
  }
};

// Only P2 and Q1 of the proof are ordered against another location, the queue's size.
const char* const one_word = "one word's steps are in one order anyway";

}  // namespace

int main() {
  using model::operation;
  return model::run(
      {
          model::full<one_producer>("a push against going idle"),
          model::full<other_sleeps>("a push against a searcher that finds other work"),
          model::bounded<two_producers>(3, "two pushes against going idle"),
          model::bounded<searcher_finds_work>(3, "two processors, one finds work"),
      },
      "sched/idle.hpp",
      {
          {"try_search", operation::read_modify_write, std::memory_order_acq_rel, one_word},
          {"found", operation::read_modify_write, std::memory_order_acq_rel, one_word},
          {"woken", operation::read_modify_write, std::memory_order_acq_rel, one_word},
      });
}
