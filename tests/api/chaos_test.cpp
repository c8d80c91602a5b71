// A library without chaos mode says so when it is asked for chaos, and does nothing else.
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/chaotic.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using testing::ExitedWithCode;

// Begun anew: in a child of fork the default runtime, which other tests may have made, is dead.
struct no_chaos : testing::Test {
  no_chaos() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(no_chaos, is_told_once_to_who_asks_for_it) {
  if (detail::chaos::trail::lines > 0) GTEST_SKIP() << "this build has chaos mode";
  EXPECT_EXIT(
      {
        ::setenv("WEFT_CHAOS", "7", 1);
        { const runtime first({.workers = 1}); }
        { const runtime second({.workers = 1}); }
        std::exit(run([] { return 3; }));
      },
      ExitedWithCode(3),
      "^weft: WEFT_CHAOS is set, but this library has no chaos mode: build weft with "
      "-DWEFT_CHAOS=ON\n$");
}

TEST_F(no_chaos, is_no_matter_to_who_does_not) {
  if (chaotic()) GTEST_SKIP() << "chaos mode is on";
  EXPECT_EXIT(std::exit(run([] { return 3; })), ExitedWithCode(3), "^$");
}
}  // namespace
}  // namespace weft::test
