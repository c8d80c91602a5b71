// Fibers that wait for one another in an explored run.
#include <gtest/gtest.h>

#include <weft/testing.hpp>

#include "support/dumps.hpp"
#include "support/explorations.hpp"

namespace weft::test {
using weft::testing::explore;
using weft::testing::explore_result;
using weft::testing::failure;

namespace {
// While one lives, others do not go away under the fiber that it is in.
struct inside {
  int& count;
  explicit inside(int& of) : count(of) { ++count; }
  ~inside() { --count; }
  inside(const inside&) = delete;
  inside& operator=(const inside&) = delete;
};

TEST(explore, finds_a_deadlock_and_says_who_waits_for_whom) {
  const explore_result found = explore(
      [] {
        fiber a;
        fiber b;
        int joining = 0;
        // When the run is ended, all three are stopped in any order.
        struct last {
          int& others;
          ~last() {
            while (others != 0) this_fiber::yield();
          }
        } const waits{joining};
        fiber_options named;
        named.name = "left";
        a = fiber(named, [&] {
          const inside joins(joining);
          while (!b.joinable()) this_fiber::yield();
          b.join();
        });
        named.name = "right";
        b = fiber(named, [&] {
          const inside joins(joining);
          a.join();
        });
        this_fiber::sleep_until(testing::clock::time_point::max());
      },
      quiet());
  ASSERT_EQ(found.kind, failure::deadlock) << found.report;
  EXPECT_TRUE(has(found.message, "\n  fiber 2 \"left\" parked: join of fiber 3, spawned at "))
      << found.message;
  EXPECT_TRUE(has(found.message, "\n  fiber 3 \"right\" parked: join of fiber 2, spawned at "))
      << found.message;
}

}  // namespace
}  // namespace weft::test
