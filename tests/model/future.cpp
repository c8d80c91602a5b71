// The state of a future: who waits is let through when it is ready, also when that meets a timeout
// or a stop request, and sees the result; each hook runs once; one stores the result; the last one
// who has it destroys it, and nobody touches it after that.
#include "sync_world.hpp"

#include "task/future_core.cpp"

namespace weft::detail {
wake_reason park(wait_kind, const void*, bool cancellable, publish_fn publish, void* arg,
                 nanos deadline) {
  return here->wait(cancellable, deadline, publish, arg);
}
}  // namespace weft::detail

namespace {
using namespace sync_model;

enum class rival { none, timeout, stop };

struct future_world : world {
  future_core core;
  checked<int> data;
  checked<int> ends;

  void make(int value = 7) {
    data = value;
    core.end_set();
  }
  wait_end wait(nanos deadline = never) {
    if (core.is_ready()) return wait_end::woken;
    return core.wait_slow(deadline);
  }
  void see() { check(data == 7, "ready, and not what came before"); }

  // What touches the state from here on leaves a trace.
  static constexpr std::uint64_t no_flags = 1u << 10;
  void destroy() {
    data = 0;
    ends = ends + 1;
    check(core.queue_.empty() && !core.hooks_, "destroyed with somebody in it");
    core.flags_.store(no_flags, std::memory_order_relaxed);
    core.queue_.head_.following = nullptr;
  }
  bool is_untouched() const {
    return core.flags_.load(std::memory_order_relaxed) == no_flags && !core.hooks_ &&
           !core.queue_.head_.following;
  }
  void drop() {
    if (core.release()) destroy();
  }
};

// A promise and its future, each with a reference, and a second future that looks and lets go.
template <bool Threads, rival Rival>
struct references : ::model::test<references<Threads, Rival>, 3>, future_world {
  void before() {
    start(Threads);
    core.more_references_.store(Rival == rival::none ? 2 : 1, std::memory_order_relaxed);
  }
  void thread(unsigned i) {
    if (i == 0) {
      if (wait(Rival == rival::timeout ? soon : never) == wait_end::woken) see();
      drop();
    } else if (i == 1) {
      check(core.begin_set(), "somebody else has the right to");
      make();
      drop();
    } else if (Rival == rival::none) {
      if (core.is_ready()) see();
      drop();
    } else if (Rival == rival::timeout) {
      expire(0);
    } else {
      stop(0);
    }
  }
  void after() { check(ends == 1 && is_untouched(), "not destroyed once, or touched after it"); }
};

// The promise is in the frame of who waits: he sees that it is ready, and all of it is gone.
template <bool Threads, rival Rival>
struct who_waits_destroys
    : ::model::test<who_waits_destroys<Threads, Rival>, Rival == rival::none ? 2 : 3>,
      future_world {
  void before() { start(Threads); }
  void thread(unsigned i) {
    if (i == 0) {
      // Twice: what has ended the first wait is not there for the second.
      if (wait(Rival == rival::timeout ? soon : never) != wait_end::woken &&
          wait() != wait_end::woken) {
        return;
      }
      see();
      destroy();
    } else if (i == 1) {
      make();
    } else if (Rival == rival::timeout) {
      expire(0);
    } else {
      stop(0);
    }
  }
  void after() { check(ends == 1 && is_untouched(), "not let through, or touched after its end"); }
};

// Set, timed out and asked to stop at once: one of them ends the wait, and the state is in order.
struct all_at_once : ::model::test<all_at_once, 4>, future_world {
  void before() {
    start(false);
    core.more_references_.store(1, std::memory_order_relaxed);
  }
  void thread(unsigned i) {
    if (i == 0) {
      if (wait(soon) == wait_end::woken) see();
      drop();
    } else if (i == 1) {
      make();
      drop();
    } else {
      i == 2 ? expire(0) : stop(0);
    }
  }
  void after() { check(ends == 1 && is_untouched(), "not destroyed once, or touched after it"); }
};

// Two wait, one of whom gives up perhaps: the other is let through.
template <bool Threads, rival Rival>
struct two_wait : ::model::test<two_wait<Threads, Rival>, Rival == rival::none ? 3 : 4>,
                  future_world {
  checked<int> through;

  void before() { start(Threads); }
  void thread(unsigned i) {
    if (i < 2) {
      const bool gives_up = i == 1 && Rival != rival::none;
      const wait_end end = wait(gives_up && Rival == rival::timeout ? soon : never);
      check(gives_up || end == wait_end::woken, "ended by what was not meant for it");
      if (end == wait_end::woken) see();
      if (i == 0) through = 1;
    } else if (i == 2) {
      make();
    } else {
      Rival == rival::timeout ? expire(1) : stop(1);
    }
  }
  void after() { check(through == 1 && core.queue_.empty(), "not let through"); }
};

// when_all and when_any: a hook runs once, and sees the result.
struct hooked : ready_hook {
  future_world* of = nullptr;
  checked<int> runs;

  hooked() noexcept : ready_hook{call} {}
  void add(future_world& to) {
    of = &to;
    if (!to.core.add_hook(*this)) run(this);
  }
  static void call(ready_hook* hook) noexcept {
    auto& me = *static_cast<hooked*>(hook);
    me.of->see();
    me.runs = me.runs + 1;
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
  void after() { see(); }
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

// A deferred function is run by one of those who wait.
template <bool Threads>
struct deferred : ::model::test<deferred<Threads>, 2>, future_world {
  checked<int> runs;

  void before() {
    start(Threads);
    core.flags_.store(future_core::first_word(true), std::memory_order_relaxed);
  }
  void thread(unsigned) {
    if (core.claim_deferred()) {
      runs = runs + 1;
      make();
    }
    check(wait() == wait_end::woken, "ended by what was not meant for it");
    see();
  }
  void after() { check(runs == 1 && core.queue_.empty(), "not run once"); }
};

// async()'s future is destroyed: its owner waits, and passes a stop request on.
template <rival Rival>
struct joined : ::model::test<joined<Rival>, 3>, future_world {
  checked<int> passed_on;

  void before() {
    start(false);
    headers[0].exceptions = &blocks[0].exceptions;
  }
  void thread(unsigned i) {
    if (i == 0) {
      if (!core.is_ready()) core.wait_until_stopped();
      if (core.is_ready()) {
        see();
        destroy();
      } else {
        check(Rival == rival::stop, "woken, and not ready");
        passed_on = 1;
      }
    } else if (i == 1) {
      make();
    } else if (Rival == rival::stop) {
      stop(0);
    }
  }
  void after() { check((ends == 1 && is_untouched()) || passed_on == 1, "not let through"); }
};
}  // namespace

int main() {
  using ::model::bounded;
  using ::model::full;
  return ::model::run(
      {
          full<one_fails>("one fails to store, another stores"),
          bounded<two_make>(3, "two store"),
          bounded<references<true, rival::none>>(3, "a promise and two futures, threads"),
          bounded<references<true, rival::timeout>>(3, "the last reference, a timeout, threads"),
          bounded<references<false, rival::timeout>>(3, "the last reference, a timeout, fibers"),
          bounded<references<false, rival::stop>>(3, "the last reference, a stop request"),
          full<who_waits_destroys<true, rival::none>>("who waits destroys, threads"),
          full<who_waits_destroys<false, rival::none>>("who waits destroys, fibers"),
          bounded<who_waits_destroys<true, rival::timeout>>(3, "who waits destroys, a timeout"),
          bounded<who_waits_destroys<false, rival::stop>>(3, "who waits destroys, a stop request"),
          bounded<all_at_once>(2, "set, timed out and asked to stop at once"),
          bounded<two_wait<true, rival::none>>(3, "two wait, threads"),
          bounded<two_wait<false, rival::none>>(3, "two wait, fibers"),
          bounded<two_wait<true, rival::timeout>>(2, "two wait, a timeout, threads"),
          bounded<two_wait<false, rival::stop>>(2, "two wait, a stop request, fibers"),
          bounded<hooks<false>>(3, "two hooks"),
          bounded<hooks<true>>(3, "a hook and one who waits"),
          full<deferred<true>>("a deferred function, threads"),
          full<deferred<false>>("a deferred function, fibers"),
          bounded<joined<rival::none>>(3, "async's future is destroyed"),
          bounded<joined<rival::stop>>(3, "async's future is destroyed, a stop request"),
      },
      "task/future_core.cpp");
}
