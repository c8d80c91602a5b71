// parallel_for, parallel_reduce, parallel_sort: each element once, in whatever pieces.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <numeric>
#include <random>
#include <ranges>
#include <string>
#include <thread>
#include <vector>
#include <weft/parallel.hpp>

#include "support/chaotic.hpp"
#include "support/fibers.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class parallel : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(all, parallel, testing::Values(1u, 2u, 4u),
                         testing::PrintToStringParamName());

TEST_P(parallel, for_visits_each_element_once) {
  rt.run([] {
    for (const std::size_t size : {0u, 1u, 2u, 3u, 100u, 10'000u}) {
      std::vector<int> visits(size);
      parallel_for(visits, [](int& n) { ++n; });
      parallel_for(visits.begin(), visits.end(), [](int& n) { ++n; });
      parallel_for(std::size_t{0}, size, [&](std::size_t i) { ++visits[i]; });
      parallel_for(std::views::iota(std::size_t{0}, size), [&](std::size_t i) { ++visits[i]; });
      EXPECT_EQ(std::ranges::count(visits, 4), static_cast<std::ptrdiff_t>(size));
    }
  });
}

TEST_P(parallel, for_takes_odd_bounds) {
  rt.run([] {
    std::atomic<int> calls{0};
    std::atomic<long> sum{0};
    const auto count = [&](auto i) {
      ++calls;
      sum += static_cast<long>(i);
    };
    parallel_for(5, 5, count);
    parallel_for(5, -5, count);
    EXPECT_EQ(calls, 0);
    parallel_for(-3, 4, count);
    EXPECT_EQ(calls, 7);
    EXPECT_EQ(sum, 0);
    parallel_for(static_cast<signed char>(-128), static_cast<signed char>(127), count);
    EXPECT_EQ(calls, 7 + 255);
    EXPECT_EQ(sum, -255);
  });
}

// Long calls are given away one by one, however few there are.
TEST(parallel, for_gives_long_calls_to_all_workers) {
  runtime rt({.workers = 4});
  rt.run([] {
    std::atomic<int> inside{0};
    parallel_for(0, 4, [&](int) {
      ++inside;
      while (inside < 4) std::this_thread::yield();
    });
    EXPECT_EQ(inside, 4);
  });
}

TEST_P(parallel, calls_may_park) {
  rt.run([] {
    std::atomic<int> calls{0};
    parallel_for(0, 50, [&](int i) {
      if (i % 3 == 0) this_fiber::yield();
      if (i % 7 == 0) this_fiber::sleep_for(10us);
      ++calls;
    });
    EXPECT_EQ(calls, 50);
  });
}

TEST_P(parallel, for_rethrows_and_stops) {
  rt.run([] {
    for (int n = 0; n < times(20); ++n) {
      std::atomic<int> inside{0};
      try {
        parallel_for(0, 1'000'000'000, [&](int i) {
          ++inside;
          if (i == 777) {
            --inside;
            throw i;
          }
          this_fiber::yield();
          --inside;
        });
        ADD_FAILURE();
      } catch (int thrown) {
        EXPECT_EQ(thrown, 777);
      }
      EXPECT_EQ(inside, 0);
    }
  });
}

TEST_P(parallel, for_is_a_cancellation_point_between_pieces) {
  rt.run([] {
    std::atomic<bool> begun{false};
    fiber endless([&] {
      parallel_for(std::uint64_t{0}, ~std::uint64_t{0}, [&](std::uint64_t) {
        begun = true;
        this_fiber::yield();
      });
    });
    until([&] { return begun.load(); });
    endless.request_stop();
    endless.join();
    const auto limited = [] {
      const deadline_scope limit(2ms);
      parallel_for(std::uint64_t{0}, ~std::uint64_t{0}, [](std::uint64_t) { asm volatile(""); });
    };
    EXPECT_THROW(limited(), deadline_exceeded);
  });
}

TEST_P(parallel, reduce_keeps_the_order) {
  rt.run([] {
    std::vector<std::string> letters;
    std::string expected;
    for (int i = 0; i < 2000; ++i) {
      letters.emplace_back(1, static_cast<char>('a' + i % 26));
      expected += letters.back();
    }
    for (int i = 0; i < times(10); ++i) {
      EXPECT_EQ(parallel_reduce(letters, std::string(), std::plus()), expected);
    }
    EXPECT_EQ(parallel_reduce(std::vector<int>(), 42, std::plus()), 42);
    const auto squares = parallel_reduce(1, 1001, 0LL, std::plus(),
                                         [](int i) { return static_cast<long long>(i) * i; });
    EXPECT_EQ(squares, 333'833'500);
    EXPECT_EQ(parallel_reduce(letters.begin(), letters.end(), std::size_t{0}, std::plus(),
                              &std::string::size),
              2000u);
  });
}

TEST_P(parallel, sorts) {
  rt.run([] {
    std::mt19937_64 random(seed());
    for (const std::size_t size : {0u, 1u, 2u, 3000u, 100'000u}) {
      for (const std::uint64_t values : {1u, 3u, 1000u, 1'000'000'000u}) {
        std::deque<std::uint64_t> numbers(size);
        for (auto& n : numbers) n = random() % values;
        auto expected = numbers;
        std::ranges::sort(expected);
        auto backward = numbers;
        parallel_sort(numbers);
        EXPECT_EQ(numbers, expected);
        parallel_sort(numbers);  // sorted ones
        EXPECT_EQ(numbers, expected);
        parallel_sort(backward.begin(), backward.end(), std::greater());
        EXPECT_TRUE(std::ranges::is_sorted(backward, std::greater()));
        parallel_sort(backward);  // and reversed ones
        EXPECT_EQ(backward, expected);
      }
    }
  });
}

TEST_P(parallel, a_sort_whose_order_throws_can_be_repeated) {
  rt.run([] {
    std::vector<int> numbers(50'000);
    std::iota(numbers.begin(), numbers.end(), 0);
    std::mt19937_64 random(seed());
    std::ranges::shuffle(numbers, random);
    std::atomic<int> calls{0};
    const auto less = [&](int a, int b) {
      if (++calls > 100'000) throw 1;
      return a < b;
    };
    EXPECT_THROW(parallel_sort(numbers, less), int);
    // As with std::sort, an element may have been on its way.
    parallel_sort(numbers);
    EXPECT_TRUE(std::ranges::is_sorted(numbers));
  });
}

TEST(parallel, on_a_kernel_thread) {
  std::vector<int> numbers(10'000, 1);
  parallel_for(numbers, [](int& n) { ++n; });
  EXPECT_EQ(parallel_reduce(numbers, 0, std::plus()), 20'000);
  parallel_sort(numbers);
}
}  // namespace
}  // namespace weft::test
