// Event and latch: nobody waits for what has happened, also when a wake meets a timeout or a stop
// request; who is let through sees what was done before.
#include "sync_world.hpp"

namespace {
using namespace sync_model;

enum class rival { none, timeout, stop };

// Who sees the event destroys it: set() touches it no more. Two set it, who comes sees both.
template <bool Threads, rival Rival>
struct one_event : ::model::test<one_event<Threads, Rival>, 3>, world {
  event_core core;
  checked<int> data;
  checked<int> through;

  void before() { start(Threads); }
  void thread(unsigned i) {
    if (i == 0) {
      const nanos deadline = Rival == rival::timeout ? soon : never;
      if (!core.is_set() && core.wait_slow(deadline) != wait_end::woken) return;
      check(data == 7, "let through, and not what came before");
      through = 1;
    } else if (i == 1) {
      data = 7;
      core.set();
    } else if (Rival == rival::none) {
      if (core.is_set()) check(data == 7, "set, and not what came before");
    } else if (Rival == rival::timeout) {
      expire(0);
    } else {
      stop(0);
    }
  }
  void after() {
    check(core.is_set() && core.queue_.empty(), "not set, or somebody is left in the queue");
    check(Rival != rival::none || through == 1, "not let through");
  }
};

// Reset and set again: nobody is left behind by the first one.
template <bool Threads>
struct set_again : ::model::test<set_again<Threads>, 3>, world {
  event_core core;
  checked<int> through;

  void before() { start(Threads); }
  void thread(unsigned i) {
    if (i == 0) {
      if (!core.is_set()) core.wait_slow(never);
      through = 1;
    } else if (i == 1) {
      core.set();
      core.reset();
      core.set();
    } else {
      core.reset();
      core.set();
    }
  }
  void after() { check(through == 1 && core.queue_.empty(), "not let through"); }
};

// A waiter has given up: its bit is left, so the last step comes by the lock.
struct stale_latch : ::model::test<stale_latch, 2>, world {
  latch_core core;
  checked<int> data;

  void before() {
    start(true);
    core.word_.store(latch_core::unit | latch_core::queued, std::memory_order_relaxed);
  }
  void thread(unsigned i) {
    if (i == 0) {
      data = 7;
      core.count_down(1);
    } else if (core.is_down()) {
      check(data == 7, "down, and not what came before");
    }
  }
};

// Two count down, and what both did is seen: by who waits, and by who looks.
template <bool Threads, rival Rival>
struct counted_down : ::model::test<counted_down<Threads, Rival>, Rival == rival::none ? 3 : 4>,
                      world {
  latch_core core;
  checked<int> data[2];
  checked<int> through;

  void before() {
    start(Threads);
    core.word_.store(2 * latch_core::unit, std::memory_order_relaxed);
  }
  void thread(unsigned i) {
    if (i < 2) {
      data[i] = 7;
      check(core.count_down(1), "too many");
    } else if (i == 2) {
      const nanos deadline = Rival == rival::timeout ? soon : never;
      if (!core.is_down() && core.wait_slow(deadline) != wait_end::woken) return;
      check(data[0] == 7 && data[1] == 7, "let through, and not what came before");
      through = 1;
    } else {
      Rival == rival::timeout ? expire(2) : stop(2);
    }
  }
  void after() {
    check(core.is_down() && core.queue_.empty(), "not down, or somebody is left in the queue");
    check(Rival != rival::none || through == 1, "not let through");
  }
};
}  // namespace

int main() {
  using ::model::bounded;
  using ::model::full;
  return ::model::run(
      {
          full<stale_latch>("a latch behind one who gave up"),
          bounded<one_event<true, rival::none>>(2, "an event, threads"),
          bounded<one_event<false, rival::timeout>>(2, "an event against a timeout, fibers"),
          bounded<one_event<false, rival::stop>>(2, "an event against a stop request"),
          bounded<set_again<true>>(2, "an event that is set again, threads"),
          bounded<set_again<false>>(2, "an event that is set again, fibers"),
          bounded<counted_down<true, rival::none>>(2, "a latch, threads"),
          bounded<counted_down<false, rival::none>>(2, "a latch, fibers"),
          bounded<counted_down<true, rival::timeout>>(1, "a latch against a timeout, threads"),
          bounded<counted_down<false, rival::stop>>(1, "a latch against a stop request"),
      },
      "sync/event_core.cpp sync/latch_core.cpp");
}
