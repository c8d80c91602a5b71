// Those who make a future ready: one stores the result, though another's storing has failed; each
// hook runs once, and may be the state's end; a deferred function is run once.
#include "future_world.hpp"

namespace {
using namespace sync_model;

// Two want to store the result.
struct two_make : ::model::test<two_make, 3>, future_world {
  void before() { start(true); }
  void thread(unsigned i) {
    if (i == 0) {
      wait();
      see();
    } else if (core.begin_set()) {
      make();
    }
  }
  void after() { check(made == 1, "stored twice"); }
};

// The first one's copy constructor throws: what it has left is not in the way of the next.
struct one_fails : ::model::test<one_fails, 2>, future_world {
  void before() { start(true); }
  void thread(unsigned i) {
    if (i == 0) {
      if (!core.begin_set()) return;
      data = 1;
      core.abort_set();
    } else {
      while (!core.begin_set()) cpu_relax();
      make();
    }
  }
  void after() { check(core.is_ready() && data == 7, "not made ready"); }
};

// A deferred function is run by one of those who wait. One with a deadline does not run it.
template <bool Threads, bool Timed>
struct deferred : ::model::test<deferred<Threads, Timed>, Timed ? 3 : 2>, future_world {
  void before() {
    start(Threads);
    core.flags_.store(future_core::first_word(true), std::memory_order_relaxed);
  }
  void thread(unsigned i) {
    if (i == 2) return expire(1);
    if (Timed && i == 1) {
      if (core.is_deferred()) return;
      if (wait(soon) == wait_end::woken) {
        see();
      } else {
        check_left();
      }
      return;
    }
    if (core.claim_deferred()) make();
    check(wait() == wait_end::woken, "ended by what was not meant for it");
    see();
  }
  void after() { check(made == 1 && core.queue_.empty(), "not run once"); }
};

// when_all and when_any: a hook runs once, and sees the result.
struct hooked : ready_hook {
  future_world* of = nullptr;
  bool drops = false;  // it has a reference
  checked<int> runs;

  hooked() noexcept : ready_hook{call} {}
  void add(future_world& to) {
    of = &to;
    if (!to.core.add_hook(*this)) run(this);
  }
  // As those who free the hook: it is not to be looked at again.
  static void call(ready_hook* hook) noexcept {
    auto& me = *static_cast<hooked*>(hook);
    me.of->see();
    me.runs = me.runs + 1;
    me.next = &me.of->trap_hook;
    if (me.drops) me.of->drop();
  }
};

template <bool OneWaits>
struct hooks : ::model::test<hooks<OneWaits>, 3>, future_world {
  hooked own[2];

  void before() { start(true); }
  void thread(unsigned i) {
    if (i == 2) {
      make();
    } else if (i == 1 && OneWaits) {
      if (wait() == wait_end::woken) see();
    } else {
      own[i].add(*this);
    }
  }
  void after() {
    check(own[0].runs == 1 && (OneWaits || own[1].runs == 1), "not run once");
    check(!core.hooks_ && core.queue_.empty(), "somebody is left");
  }
};

// A hook has the last reference, or the promise.
struct hook_drops : ::model::test<hook_drops, 2>, future_world {
  hooked own;

  void before() {
    start(true);
    core.more_references_.store(1, std::memory_order_relaxed);
    own.drops = true;
  }
  void thread(unsigned i) {
    if (i == 0) {
      own.add(*this);
    } else {
      make();
      drop();
    }
  }
  void after() {
    check(own.runs == 1, "not run once");
    check(ends == 1 && is_untouched(), "not destroyed once, or touched after it");
  }
};

}  // namespace

int main() {
  using ::model::bounded;
  using ::model::full;
  return ::model::run(
      {
          full<one_fails>("one fails to store, another stores"),
          bounded<two_make>(3, "two store"),
          bounded<hooks<false>>(3, "two hooks"),
          bounded<hooks<true>>(3, "a hook and one who waits"),
          full<hook_drops>("a hook with the last reference"),
          full<deferred<true, false>>("a deferred function, threads"),
          full<deferred<false, false>>("a deferred function, fibers"),
          bounded<deferred<false, true>>(3, "a deferred function, and one with a deadline"),
      },
      "task/future_core.cpp");
}
