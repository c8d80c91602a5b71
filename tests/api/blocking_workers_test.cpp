// Many callers of blocking() on several workers: processors change hands under
// them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "support/kernel_gate.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class blocking_on_workers : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, blocking_on_workers, testing::Values(1u, 2u, 4u));

TEST_P(blocking_on_workers, many_at_once) {
  runtime rt({.workers = GetParam()});
  std::atomic<int> inside{0}, done{0};
  rt.run([&] {
    std::vector<fiber> fibers;
    for (int i = 0; i < 64; ++i) {
      fibers.emplace_back([&] {
        // All must be inside at the same time for any to leave.
        blocking([&] {
          ++inside;
          while (inside < 64) std::this_thread::yield();
        });
        ++done;
      });
    }
    for (fiber& f : fibers) f.join();
  });
  EXPECT_EQ(done, 64);
  EXPECT_EQ(rt.stats().blocking_calls, 64u);
}

// Short and long calls, mixed: processors are taken from some calls and not
// from others.
TEST_P(blocking_on_workers, short_and_long_calls) {
  runtime rt({.workers = GetParam()});
  std::atomic<int> calls{0};
  rt.run([&] {
    std::vector<fiber> fibers;
    for (int i = 0; i < 16; ++i) {
      fibers.emplace_back([&, i] {
        for (int k = 0; k < 100; ++k) {
          blocking([&] {
            ++calls;
            if ((i + k) % 33 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(k % 4));
          });
          if (k % 3 == 0) this_fiber::yield();
          if (k % 10 == 0) this_fiber::sleep_for(100us);
        }
      });
    }
    for (fiber& f : fibers) f.join();
  });
  EXPECT_EQ(calls, 1600);
}

TEST_P(blocking_on_workers, the_runtime_ends_with_spares) {
  for (int round = 0; round < 5; ++round) {
    runtime rt({.workers = GetParam()});
    rt.run([&] {
      kernel_gate g;
      std::vector<fiber> fibers;
      for (int i = 0; i < 8; ++i) fibers.emplace_back([&] { blocking([&] { g.wait(); }); });
      until([&] { return rt.stats().blocking_inside == 8; });
      g.open();
    });
    EXPECT_GE(rt.stats().threads, 9u);
  }
}

TEST_P(blocking_on_workers, pinned_fibers_come_back_to_their_thread) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    std::vector<fiber> fibers;
    for (int i = 0; i < 8; ++i) {
      fibers.emplace_back(fiber_options{.name = "pinned", .pinned = true}, [i] {
        const pid_t home = ::gettid();
        for (int k = 0; k < 5; ++k) {
          blocking([&] { std::this_thread::sleep_for(std::chrono::milliseconds((i + k) % 4)); });
          EXPECT_EQ(::gettid(), home);
          this_fiber::yield();
          EXPECT_EQ(::gettid(), home);
        }
      });
    }
    for (fiber& f : fibers) f.join();
  });
}
}  // namespace
}  // namespace weft::test
