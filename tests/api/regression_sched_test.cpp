// Faults of the scheduler that were found and fixed once: work that nobody looked after.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "support/fibers.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// A timer is armed on a processor that then computes until it has fired, while another worker
// sleeps in epoll without a deadline: somebody must wake that one in time.
TEST(regression_sched, a_timer_whose_processor_computes) {
  runtime rt({.workers = 2});
  rt.run([&] {
    for (int round = 0; round < 20; ++round) {
      constexpr int sleepers = 8;
      std::atomic<int> began{0};
      std::atomic<int> woken{0};
      std::vector<fiber> fibers;
      for (int i = 0; i < sleepers; ++i) {
        fibers.emplace_back([&] {
          ++began;
          this_fiber::sleep_for(2ms);
          ++woken;
        });
      }
      until([&] { return began == sleepers; });
      while (woken != sleepers) {  // computes: does not give way
      }
      for (fiber& f : fibers) f.join();
    }
  });
}

// A fiber that spawned and joined without end had the processor for itself: its children's ends
// handed it back from the slot, over and over, and the ring never had its turn. A deadline of the
// test framework ends it if that comes back; each of these waits for the others to have run.
void others_run_beside(unsigned workers, void (*spawn_and_join)()) {
  runtime rt({.workers = workers});
  std::atomic<long> yields{0};
  std::atomic<long> naps{0};
  std::atomic<long> injected{0};
  std::atomic<bool> end{false};
  std::thread foreign([&] {
    while (!end) fiber(on(rt), [&] { ++injected; }).join();
  });
  rt.run([&] {
    fiber yielder([&] {
      while (!end) {
        ++yields;
        this_fiber::yield();
      }
    });
    fiber sleeper([&] {
      while (!end) {
        this_fiber::sleep_for(1ms);
        ++naps;
      }
    });
    std::vector<fiber> greedy;
    for (unsigned i = 0; i < 2 * workers; ++i) {
      greedy.emplace_back([&] {
        while (yields < 1000 || naps < 20 || injected < 20) spawn_and_join();
      });
    }
    for (fiber& f : greedy) f.join();
    end = true;
  });
  foreign.join();
}

TEST(regression_sched, others_run_beside_a_fiber_that_spawns_and_joins) {
  for (const unsigned workers : {1u, 2u}) {
    others_run_beside(workers, [] { fiber([] {}).join(); });
    others_run_beside(workers, [] { fiber([] { fiber([] {}).join(); }).join(); });
    others_run_beside(workers, [] {
      fiber a([] {});
      fiber b([] {});
      a.join();
      b.join();
    });
  }
}

// The only worker's pinned fiber comes back from a long call and takes its idle processor. The
// monitor, at rest by then, must take part again: the next call lasts until another fiber has run.
TEST(regression_sched, blocking_after_the_monitor_went_to_rest) {
  runtime rt({.workers = 1});
  rt.run([] {
    const this_fiber::pin stay;
    for (int round = 0; round < 10; ++round) {
      // Not for synchronisation: long enough for the spare and the monitor to find nothing to do.
      blocking([] { std::this_thread::sleep_for(30ms); });
      std::atomic<bool> ran{false};
      fiber other([&] { ran = true; });
      blocking([&] {
        while (!ran) std::this_thread::yield();
      });
      other.join();
    }
  });
}

// The pinned fiber's processor is busy on a spare when its call returns, and goes idle right after:
// the pinned fiber's carrier, which waits for a processor, must get it.
TEST(regression_sched, a_pinned_fiber_returns_as_its_processor_goes_idle) {
  runtime rt({.workers = 1});
  rt.run([] {
    const this_fiber::pin stay;
    for (int round = 0; round < 200; ++round) {
      std::atomic<bool> runs{false};
      std::atomic<bool> leave{false};
      fiber hog([&] {
        runs = true;
        while (!leave) {
        }
      });
      blocking([&] {
        while (!runs) std::this_thread::sleep_for(100us);
        leave = true;
      });
      hog.join();
    }
  });
}

// More fibers than a processor's ring holds, all yielding, one of them on the smallest stack and
// near its end: moving the ring's contents must not need the stack of whoever yields.
TEST(regression_sched, a_full_ring_spills_with_little_stack_left) {
  struct deep {
    [[gnu::noinline]] static int down(int kilobytes) {
      volatile char frame[1024];
      frame[kilobytes] = 1;
      if (kilobytes > 0) return down(kilobytes - 1) + frame[kilobytes];
      for (int i = 0; i < 300; ++i) this_fiber::yield();
      return frame[kilobytes];
    }
  };
  runtime rt({.workers = 1});
  rt.run([] {
    std::vector<fiber> fibers;
    fiber_options small;
    small.stack_size = 16 * 1024;
    // A sanitizer's frames are longer.
    fibers.emplace_back(small, [] { deep::down(sanitized ? 10 : 13); });
    for (int i = 0; i < 1500; ++i) {
      fibers.emplace_back([] {
        for (int k = 0; k < 10; ++k) this_fiber::yield();
      });
    }
    for (fiber& f : fibers) f.join();
  });
}
}  // namespace
}  // namespace weft::test
