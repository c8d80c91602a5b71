// call_once: it is done once, who comes later sees what was done; when an attempt has failed the
// next one sees what it left, and nobody waits for one that has failed.
#include "sync_world.hpp"

namespace {
using namespace sync_model;

// Each calls. The first `Fail` attempts fail.
template <bool Threads, unsigned Callers, int Fail>
struct calls : ::model::test<calls<Threads, Callers, Fail>, Callers>, world {
  once_core core;
  checked<int> attempts;
  checked<int> through[Callers];

  void before() { start(Threads); }
  void thread(unsigned i) {
    while (core.begin(mine())) {
      const int before = attempts;
      attempts = before + 1;
      core.finish(mine(), before >= Fail);
      if (before >= Fail) break;
    }
    check(attempts == Fail + 1, "it has been done, and that is not seen");
    through[i] = 1;
  }
  void after() {
    check(attempts == Fail + 1 && core.queue_.empty(), "done twice, or somebody is left");
    for (const checked<int>& each : through) check(each == 1, "not let through");
  }
};

// A bit is left of somebody who was woken: so the end comes by the lock.
template <bool Success>
struct stale_bit : ::model::test<stale_bit<Success>, 2>, world {
  once_core core;
  checked<int> data;

  void before() {
    start(true);
    core.word_.store(once_core::queued, std::memory_order_relaxed);
  }
  void thread(unsigned i) {
    if (core.begin(mine())) {
      const bool first = data == 0;
      data = 7;
      core.finish(mine(), Success || !first);
    } else {
      check(data == 7, "it has been done, and that is not seen");
    }
    static_cast<void>(i);
  }
  void after() { check(data == 7 && core.queue_.empty(), "not done, or somebody is left"); }
};
}  // namespace

int main() {
  using ::model::bounded;
  return ::model::run(
      {
          bounded<stale_bit<true>>(4, "done behind one who was woken"),
          bounded<stale_bit<false>>(3, "failed behind one who was woken"),
          bounded<calls<true, 2, 0>>(4, "two call, threads"),
          bounded<calls<false, 2, 0>>(4, "two call, fibers"),
          bounded<calls<true, 3, 0>>(2, "three call, threads"),
          bounded<calls<true, 2, 1>>(3, "the first attempt fails, threads"),
          bounded<calls<false, 2, 1>>(3, "the first attempt fails, fibers"),
          bounded<calls<false, 3, 1>>(2, "the first attempt fails, three call"),
      },
      "sync/once_core.cpp");
}
