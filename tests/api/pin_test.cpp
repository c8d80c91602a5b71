// Pinned fibers resume on their kernel thread, whatever they wait for.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <vector>

#include "support/chaotic.hpp"
#include "support/descriptors.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

fiber_options pinned_options() {
  fiber_options options;
  options.pinned = true;
  return options;
}

// Parks in every way there is, and checks after each that the thread is the
// same.
void wander(pid_t home) {
  fd_pair p = make_socketpair();
  const auto stayed = [home] { ASSERT_EQ(::gettid(), home); };
  for (int round = 0; round < 20; ++round) {
    this_fiber::yield();
    stayed();
    this_fiber::sleep_for(std::chrono::microseconds(round * 10));
    stayed();
    fiber writer([&] {
      this_fiber::yield();
      EXPECT_EQ(write(p[1], "x"), 1);
    });
    char c;
    EXPECT_EQ(io::read(p[0], &c, 1), 1);
    stayed();
    writer.join();
    stayed();
    blocking([] {});
    stayed();
    fiber quick([] {});
    quick.join();
    stayed();
  }
}

class pin : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, pin, testing::Values(1u, 2u, 4u));

TEST_P(pin, a_scope_pins) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    std::vector<fiber> fibers;
    for (int i = 0; i < 12; ++i) {
      fibers.emplace_back([i] {
        for (int k = 0; k < i; ++k) this_fiber::yield();
        const this_fiber::pin stay;
        wander(::gettid());
      });
    }
    for (fiber& f : fibers) f.join();
  });
}

TEST_P(pin, an_option_pins_from_the_start) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    std::vector<fiber> fibers;
    for (int i = 0; i < 12; ++i) {
      fibers.emplace_back(pinned_options(), [] { wander(::gettid()); });
    }
    for (fiber& f : fibers) f.join();
  });
}

TEST_P(pin, nests) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    std::vector<fiber> fibers;
    for (int i = 0; i < 4; ++i) {
      fibers.emplace_back([] {
        const this_fiber::pin outer;
        const pid_t home = ::gettid();
        {
          const this_fiber::pin inner;
          this_fiber::sleep_for(100us);
        }
        wander(home);
      });
      fibers.emplace_back(pinned_options(), [] {
        const pid_t home = ::gettid();
        { const this_fiber::pin inner; }
        wander(home);
      });
    }
    for (fiber& f : fibers) f.join();
  });
}

TEST_P(pin, a_pinned_fiber_can_be_stopped_and_joined_from_anywhere) {
  runtime rt({.workers = GetParam()});
  for (int round = 0; round < 100; ++round) {
    fiber_options options = on(rt);
    options.pinned = true;
    fiber f(options, [] {
      const pid_t home = ::gettid();
      EXPECT_TRUE(canceled([] { this_fiber::sleep_for(1h); }));
      EXPECT_EQ(::gettid(), home);
    });
    if (round % 2) this_fiber::yield();
    f.request_stop();
    f.join();
  }
}

TEST_P(pin, pins_come_and_go) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    std::vector<fiber> fibers;
    for (int i = 0; i < 16; ++i) {
      fibers.emplace_back([i] {
        for (int k = 0; k < times(300); ++k) {
          {
            const this_fiber::pin stay;
            const pid_t home = ::gettid();
            if ((i + k) % 7 == 0) this_fiber::sleep_for(10us);
            this_fiber::yield();
            ASSERT_EQ(::gettid(), home);
          }
          this_fiber::yield();
        }
      });
    }
    for (fiber& f : fibers) f.join();
  });
}

TEST_P(pin, unpinned_work_is_not_held_up) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    std::atomic<bool> done{false};
    fiber spinner(pinned_options(), [&] { until([&] { return done.load(); }); });
    std::vector<fiber> others;
    for (int i = 0; i < 100; ++i) others.emplace_back([] { this_fiber::yield(); });
    for (fiber& f : others) f.join();
    done = true;
  });
}

TEST(pin, on_a_kernel_thread_is_nothing) {
  const this_fiber::pin outer;
  const this_fiber::pin inner;
  this_fiber::yield();
}

TEST(pin, the_main_thread_of_another_runtime) {
  runtime a({.workers = 2}), b({.workers = 2});
  a.run([&] {
    const this_fiber::pin stay;
    const pid_t home = ::gettid();
    for (int i = 0; i < 50; ++i) {
      EXPECT_NE(b.run([] { return ::gettid(); }), home);
      EXPECT_EQ(::gettid(), home);
    }
  });
}
}  // namespace
}  // namespace weft::test
