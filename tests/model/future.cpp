// Those who wait for a future: each is let through when it is ready, also when that meets a timeout
// or a stop request, and sees the result; the last one who has it destroys it, and nobody touches
// it after that.
#include "future_world.hpp"

namespace {
using namespace sync_model;

enum class rival { none, timeout, stop };

// A promise and its future, each with a reference, and a second future that looks and lets go.
template <bool Threads, rival Rival>
struct references : ::model::test<references<Threads, Rival>, 3>, future_world {
  void before() {
    start(Threads);
    core.more_references_.store(Rival == rival::none ? 2 : 1, std::memory_order_relaxed);
  }
  void thread(unsigned i) {
    if (i == 0) {
      if (wait(Rival == rival::timeout ? soon : never) == wait_end::woken) {
        see();
      } else {
        check_left();
      }
      drop();
    } else if (i == 1) {
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
      if (wait(soon) == wait_end::woken) {
        see();
      } else {
        check_left();
      }
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

// Copies of a shared_future: two wait, one gives up, and whoever is the last destroys it.
struct shared : ::model::test<shared, 4>, future_world {
  void before() {
    start(true);
    core.more_references_.store(2, std::memory_order_relaxed);
  }
  void thread(unsigned i) {
    if (i < 2) {
      if (wait(i == 1 ? soon : never) == wait_end::woken) see();
      drop();
    } else if (i == 2) {
      make();
      drop();
    } else {
      expire(1);
    }
  }
  void after() { check(ends == 1 && is_untouched(), "not destroyed once, or touched after it"); }
};

// The loop of join_maker: the owner of async()'s future destroys it, and passes on what he is
// asked.
template <rival Rival>
struct joined : ::model::test<joined<Rival>, Rival == rival::stop ? 3 : 2>, future_world {
  atomic<int> asked{0};
  checked<int> passed_on;

  void before() {
    start(false);
    headers[0].exceptions = &blocks[0].exceptions;
  }
  void join() {
    while (!core.is_ready()) {
      if (asked.load(std::memory_order_relaxed)) {
        passed_on = 1;
        return;
      }
      if (core.wait_until_stopped() == wait_end::cancelled) {
        check(asked.load(std::memory_order_relaxed), "stopped, and nobody asked for it");
        check_left();
      } else {
        check(core.is_ready(), "woken, and not ready");
      }
    }
    see();
    destroy();
  }
  void thread(unsigned i) {
    if (i == 0) {
      join();
    } else if (i == 1) {
      make();
    } else {
      asked.store(1, std::memory_order_relaxed);
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
          bounded<references<true, rival::none>>(3, "a promise and two futures, threads"),
          bounded<references<true, rival::timeout>>(3, "the last reference, a timeout, threads"),
          bounded<references<false, rival::timeout>>(3, "the last reference, a timeout, fibers"),
          bounded<references<false, rival::stop>>(3, "the last reference, a stop request"),
          full<who_waits_destroys<true, rival::none>>("who waits destroys, threads"),
          full<who_waits_destroys<false, rival::none>>("who waits destroys, fibers"),
          bounded<who_waits_destroys<true, rival::timeout>>(3, "who waits destroys, a timeout"),
          bounded<who_waits_destroys<false, rival::stop>>(3, "who waits destroys, a stop request"),
          bounded<all_at_once>(2, "set, timed out and asked to stop at once"),
          bounded<shared>(2, "two wait, one gives up, the last destroys"),
          bounded<two_wait<true, rival::none>>(3, "two wait, threads"),
          bounded<two_wait<false, rival::none>>(3, "two wait, fibers"),
          bounded<two_wait<true, rival::timeout>>(2, "two wait, a timeout, threads"),
          bounded<two_wait<false, rival::stop>>(2, "two wait, a stop request, fibers"),
          full<joined<rival::none>>("async's future is destroyed"),
          bounded<joined<rival::stop>>(3, "async's future is destroyed, a stop request"),
      },
      "task/future_core.cpp");
}
