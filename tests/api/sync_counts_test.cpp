// Counts out of their range end the process with a line.
#include <gtest/gtest.h>

#include "support/death.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
class sync_counts : public testing::Test {
 protected:
  sync_counts() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(sync_counts, counts_out_of_range) {
  EXPECT_DEATH(
      {
        binary_semaphore one(1);
        one.release();
      },
      "weft: weft::counting_semaphore at 0x[0-9a-f]+: release\\(1\\) by this kernel thread would "
      "take its count out of the range from 0 to 1\n");
  EXPECT_DEATH(
      {
        counting_semaphore<> units(1);
        units.release(-1);
      },
      "release\\(-1\\) by this kernel thread would take its count out of the range from 0 to ");
  EXPECT_DEATH(
      {
        counting_semaphore<> units(counting_semaphore<>::max());
        units.release(2);
      },
      "release\\(2\\) by this kernel thread would take its count out");
  EXPECT_DEATH(
      counting_semaphore<> units(-1),
      "weft: weft::counting_semaphore: made by this kernel thread with a count of -1, which "
      "is not from 0 to ");
  EXPECT_DEATH(binary_semaphore units(2), "with a count of 2, which is not from 0 to 1\n");
  EXPECT_DEATH(
      latch done(-3),
      "weft: weft::latch: made by this kernel thread with a count of -3, which is negative\n");
  EXPECT_DEATH(
      {
        latch done(1);
        done.count_down(2);
      },
      "weft: weft::latch at 0x[0-9a-f]+: count_down\\(2\\) by this kernel thread, but its count is "
      "1\n");
  EXPECT_DEATH(
      {
        latch done(1);
        done.count_down(-1);
      },
      "count_down\\(-1\\) by this kernel thread, but its count is 1\n");
  EXPECT_DEATH(barrier<> step(-1),
               "weft: weft::barrier: made by this kernel thread for -1, which is "
               "negative\n");
  EXPECT_DEATH(
      {
        barrier<> step(2);
        static_cast<void>(step.arrive(3));
      },
      "weft: weft::barrier at 0x[0-9a-f]+: arrive\\(3\\) by this kernel thread, but not so many "
      "are "
      "expected in this phase\n");
  EXPECT_DEATH(
      {
        barrier<> step(2);
        static_cast<void>(step.arrive(0));
      },
      "arrive\\(0\\) by this kernel thread, but not so many");
}

// Too many for a barrier that counted down under the eyes of a waiter.
TEST_F(sync_counts, more_than_the_count_with_waiters) {
  EXPECT_DEATH(
      {
        latch done(2);
        runtime rt({.workers = 1});
        rt.run([&] {
          fiber waiter([&] { done.wait(); });
          until_parked(rt, 1);
          done.count_down(3);
        });
      },
      "count_down\\(3\\) by fiber [0-9]+, but its count is 2\n");
}

}  // namespace
}  // namespace weft::test
