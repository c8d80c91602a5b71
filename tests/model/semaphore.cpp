// The semaphore: no unit is lost or made, also when a wake meets a timeout or a stop request;
// nobody waits for what is there; who acquires sees what came before the release.
#include "sync_world.hpp"

namespace {
using namespace sync_model;

enum class rival { none, timeout, stop };

template <bool Threads, rival Rival>
struct one_unit : ::model::test<one_unit<Threads, Rival>, Rival == rival::none ? 2 : 3>, world {
  semaphore_core core;
  checked<int> data;
  checked<int> got;

  void before() { start(Threads); }
  void thread(unsigned i) {
    if (i == 0) {
      const nanos deadline = Rival == rival::timeout ? soon : never;
      if (!core.try_acquire() && core.acquire_slow(deadline) != wait_end::woken) return;
      check(data == 7, "acquired, and not what came before the release");
      got = 1;
    } else if (i == 1) {
      data = 7;
      check(core.release(1, 1), "does not fit");
    } else if (Rival == rival::timeout) {
      expire(0);
    } else {
      stop(0);
    }
  }
  void after() {
    check(core.queue_.empty(), "somebody is left in the queue");
    check(core.try_acquire() == (got == 0), "a unit was lost, or made");
    check(!core.try_acquire(), "a unit was made");
    check(Rival != rival::none || got == 1, "not served");
  }
};

// Two acquire, and one gives up; two units come together, or one by one.
template <bool Threads, bool Together>
struct two_units : ::model::test<two_units<Threads, Together>, 4>, world {
  semaphore_core core;
  checked<int> got[2];

  void before() { start(Threads); }
  void thread(unsigned i) {
    if (i < 2) {
      if (!core.try_acquire() && core.acquire_slow(i == 0 ? soon : never) != wait_end::woken)
        return;
      got[i] = 1;
    } else if (i == 2) {
      core.release(Together ? 2 : 1, 9);
      if (!Together) core.release(1, 9);
    } else {
      expire(0);
    }
  }
  void after() {
    check(got[1] == 1, "not served");
    check(core.queue_.empty(), "somebody is left in the queue");
    check(core.try_acquire() == (got[0] == 0), "a unit was lost, or made");
    check(!core.try_acquire(), "a unit was made");
  }
};

// A waiter has given up: its bit is left, so the release comes by the lock, and keeps the unit.
struct stale_bit : ::model::test<stale_bit, 2>, world {
  semaphore_core core;
  checked<int> data;
  checked<int> got;

  void before() {
    start(true);
    core.word_.store(semaphore_core::queued, std::memory_order_relaxed);
  }
  void thread(unsigned i) {
    if (i == 1) {
      data = 7;
      check(core.release(1, 1), "does not fit");
    } else if (core.try_acquire()) {
      check(data == 7, "acquired, and not what came before the release");
      got = 1;
    }
  }
  void after() { check(core.try_acquire() == (got == 0), "a unit was lost, or made"); }
};

}  // namespace

int main() {
  using ::model::bounded;
  return ::model::run(
      {
          bounded<one_unit<true, rival::none>>(3, "a release against an acquisition, threads"),
          bounded<one_unit<false, rival::none>>(4, "a release against an acquisition, fibers"),
          bounded<one_unit<true, rival::timeout>>(2, "a release against a timeout, threads"),
          bounded<one_unit<false, rival::timeout>>(2, "a release against a timeout, fibers"),
          bounded<one_unit<false, rival::stop>>(2, "a release against a stop request"),
          bounded<stale_bit>(4, "a release behind one who gave up"),
          bounded<two_units<true, true>>(1, "two units together, threads"),
          bounded<two_units<false, false>>(1, "two units, fibers"),
      },
      "sync/semaphore_core.cpp");
}
