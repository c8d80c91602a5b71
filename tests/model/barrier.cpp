// Barrier: who is let through sees what all did before they arrived, and what the completion did;
// nobody waits for a phase that has ended, also when its end meets a timeout or a stop request.
#include "sync_world.hpp"

namespace {
using namespace sync_model;

enum class rival { none, timeout, stop };

// As weft::barrier does, with a completion that looks at what was done.
template <class Completion>
bool arrive_and_wait(barrier_core& core, nanos deadline, Completion completion) {
  std::uint64_t phase = 0;
  const auto arrived = core.arrive(1, false, phase);
  check(arrived != barrier_core::arrival::too_many, "one too many");
  if (arrived == barrier_core::arrival::last) {
    completion();
    core.next_phase();
  }
  return core.has_ended(phase) || core.wait_slow(phase, deadline) == wait_end::woken;
}

template <bool Threads, rival Rival>
struct one_phase : ::model::test<one_phase<Threads, Rival>, Rival == rival::none ? 2 : 3>, world {
  barrier_core core{2};
  checked<int> data[2];
  checked<int> completed;
  checked<int> through[2];

  void before() { start(Threads); }
  void thread(unsigned i) {
    if (i == 2) return Rival == rival::timeout ? expire(0) : stop(0);
    data[i] = 7;
    const nanos deadline = Rival == rival::timeout && i == 0 ? soon : never;
    const bool let = arrive_and_wait(core, deadline, [&] {
      check(data[0] == 7 && data[1] == 7, "completed, and not what came before");
      completed = 1;
    });
    if (!let) return;
    check(completed == 1, "let through before the completion");
    check(data[0] == 7 && data[1] == 7, "let through, and not what came before");
    through[i] = 1;
  }
  void after() {
    check(core.phase_.load(std::memory_order_relaxed) == 1, "the phase has not ended");
    check(core.queue_.empty(), "somebody is left in the queue");
    check(through[1] == 1 && (Rival != rival::none || through[0] == 1), "not let through");
  }
};

// Who arrives for the second phase comes before some have left the first.
template <bool Threads>
struct two_phases : ::model::test<two_phases<Threads>, 2>, world {
  barrier_core core{2};
  checked<int> step[2];
  checked<int> phases;

  void before() { start(Threads); }
  void thread(unsigned i) {
    for (int n = 1; n <= 2; ++n) {
      step[i] = n;
      check(arrive_and_wait(core, never, [&] { phases = n; }), "not let through");
      check(phases >= n && step[1 - i] >= n, "let through too early");
      if (n == 1) arrive_and_wait(core, never, [] {});  // what was looked at may be written again
    }
  }
  void after() {
    check(core.phase_.load(std::memory_order_relaxed) == 3 && core.queue_.empty(), "not three");
  }
};

// One leaves for good; the other goes on alone.
struct one_drops : ::model::test<one_drops, 2>, world {
  barrier_core core{2};
  checked<int> data;

  void before() { start(true); }
  void thread(unsigned i) {
    if (i == 0) {
      data = 7;
      std::uint64_t phase = 0;
      if (core.arrive(1, true, phase) == barrier_core::arrival::last) core.next_phase();
    } else {
      for (int n = 0; n < 2; ++n) check(arrive_and_wait(core, never, [] {}), "not let through");
      check(data == 7, "let through, and not what came before");
    }
  }
  void after() {
    check(core.phase_.load(std::memory_order_relaxed) == 2 && core.queue_.empty(), "not two");
  }
};
}  // namespace

int main() {
  using ::model::bounded;
  return ::model::run(
      {
          bounded<one_phase<true, rival::none>>(5, "a phase, threads"),
          bounded<one_phase<false, rival::none>>(5, "a phase, fibers"),
          bounded<one_phase<true, rival::timeout>>(3, "a phase against a timeout, threads"),
          bounded<one_phase<false, rival::timeout>>(3, "a phase against a timeout, fibers"),
          bounded<one_phase<false, rival::stop>>(3, "a phase against a stop request"),
          bounded<two_phases<true>>(2, "phase after phase, threads"),
          bounded<two_phases<false>>(3, "phase after phase, fibers"),
          bounded<one_drops>(4, "one is not expected any more"),
      },
      "sync/barrier_core.cpp");
}
