// fork_join beside scopes and shields.
#include <gtest/gtest.h>

#include <atomic>
#include <weft/cancel_shield.hpp>
#include <weft/fork_join.hpp>
#include <weft/scope.hpp>

#include "support/chaotic.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class fork_join_scope : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(all, fork_join_scope, testing::Values(1u, 2u, 4u),
                         testing::PrintToStringParamName());

template <class F>
int int_thrown_by(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (int n) {
    return n;
  }
  return -1;
}

TEST_P(fork_join_scope, a_stop_of_a_scope_reaches_the_branches_of_its_fibers) {
  rt.run([] {
    for (int i = 0; i < times(10); ++i) {
      std::atomic<int> waiting{0};
      std::atomic<int> ended{0};
      const auto wait = [&] {
        ++waiting;
        if (canceled([] { this_fiber::sleep_for(1h); })) ++ended;
      };
      scope all;
      for (int k = 0; k < 3; ++k) all.spawn([&] { fork_join(wait, wait, wait); });
      until([&] { return waiting == 9; });
      all.request_stop();
      all.join();
      EXPECT_EQ(ended, 9);
    }
  });
}

// And the other way round: what a branch waits for ends with it.
TEST_P(fork_join_scope, a_failure_reaches_the_scopes_of_the_siblings) {
  rt.run([] {
    for (int i = 0; i < times(10); ++i) {
      std::atomic<int> waiting{0};
      std::atomic<int> ended{0};
      const auto wait = [&] {
        ++waiting;
        if (canceled([] { this_fiber::sleep_for(1h); })) ++ended;
      };
      const auto nursery = [&] {
        scope all;
        all.spawn(wait);
        all.spawn(wait);
        all.join();
      };
      EXPECT_EQ(int_thrown_by([&] {
                  fork_join(nursery, nursery, [&] {
                    until([&] { return waiting == 4; });
                    throw 1;
                  });
                }),
                1);
      EXPECT_EQ(ended, 4);
    }
  });
}

TEST_P(fork_join_scope, a_shield_holds_in_every_branch) {
  rt.run([] {
    std::atomic<int> slept{0};
    const auto sleep = [&] {
      this_fiber::sleep_for(1ms);
      ++slept;
    };
    fiber caller([&] {
      const cancel_shield shield;
      fork_join(sleep, sleep, [&] { fork_join(sleep, sleep); });
    });
    caller.request_stop();
    caller.join();
    EXPECT_EQ(slept, 4);
  });
}
}  // namespace
}  // namespace weft::test
