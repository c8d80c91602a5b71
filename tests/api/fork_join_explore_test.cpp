// fork_join in explored runs: each branch is a fiber, and a seed says which goes first.
#include <gtest/gtest.h>

#include <weft/fork_join.hpp>

#include "support/explorations.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
TEST(fork_join, is_explored) {
  const auto program = [] {
    int n = 0;
    const auto increment = [&] {
      const int before = n;
      testing::point("read");
      n = before + 1;
    };
    fork_join(increment, increment);
    testing::check(n == 2, "an update is lost");
  };
  const auto found = testing::explore(program, quiet());
  ASSERT_EQ(found.kind, testing::failure::check) << found.report;
  EXPECT_TRUE(found.deterministic);
  EXPECT_EQ(testing::replay(found.seed, program, quiet()).schedule, found.schedule);
}
}  // namespace
}  // namespace weft::test
