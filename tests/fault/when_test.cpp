// when_all and when_any, for which there is no memory: the futures are the caller's still.
#include <gtest/gtest.h>

#include <cerrno>
#include <new>
#include <utility>
#include <vector>
#include <weft/when.hpp>

#include "fault/injector.hpp"

namespace weft::test {
namespace {
// Each allocation of combine(a, b) fails once. How many there are.
template <class Combine>
long failures_of(Combine combine) {
  for (long n = 1;; ++n) {
    promise<int> left;
    promise<int> right;
    std::vector<future<int>> both;
    both.push_back(left.get_future());
    both.push_back(right.get_future());
    bool told = false;
    arm(call::malloc, n, ENOMEM, false);
    try {
      combine(both);
    } catch (const std::bad_alloc&) {
      told = true;
    }
    disarm();
    if (!told) {
      EXPECT_FALSE(both[0].valid());
      left.set_value(1);
      right.set_value(2);
      return n - 1;
    }
    if (!both[0].valid() || !both[1].valid()) {
      ADD_FAILURE() << "lost by failure " << n;
      return n;
    }
    left.set_value(1);
    right.set_value(2);
    EXPECT_EQ(both[0].get() + both[1].get(), 3);
  }
}

TEST(when_without_memory, leaves_the_futures_of_a_range) {
  EXPECT_GE(failures_of([](auto& both) {
              const auto all = when_all(both.begin(), both.end());
              EXPECT_TRUE(all.valid());
            }),
            3);
  EXPECT_GE(failures_of([](auto& both) {
              const auto any = when_any(both.begin(), both.end());
              EXPECT_TRUE(any.valid());
            }),
            3);
}

TEST(when_without_memory, leaves_single_futures) {
  EXPECT_GE(failures_of([](auto& both) {
              const auto all = when_all(std::move(both[0]), std::move(both[1]));
              EXPECT_TRUE(all.valid());
            }),
            2);
  EXPECT_GE(failures_of([](auto& both) {
              const auto any = when_any(std::move(both[0]), std::move(both[1]));
              EXPECT_TRUE(any.valid());
            }),
            2);
}
}  // namespace
}  // namespace weft::test
