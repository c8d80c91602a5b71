// weft::generator: an input range like std::generator, from any depth of calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>
#include <weft/generator.hpp>

#include "support/chaotic.hpp"
#include "support/places.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
namespace views = std::views;

using ints = generator<int>;
static_assert(std::ranges::input_range<ints> && !std::ranges::forward_range<ints>);
static_assert(std::ranges::view<ints> && std::ranges::viewable_range<ints>);
static_assert(std::input_iterator<ints::iterator>);
static_assert(std::sentinel_for<std::default_sentinel_t, ints::iterator>);
static_assert(!std::copyable<ints> && std::movable<ints>);
static_assert(std::same_as<std::ranges::range_reference_t<ints>, int&&>);
static_assert(std::same_as<std::ranges::range_value_t<generator<const std::string&>>, std::string>);
static_assert(std::same_as<std::ranges::range_reference_t<generator<const std::string&>>,
                           const std::string&>);
static_assert(std::same_as<std::ranges::range_reference_t<generator<int&>>, int&>);
static_assert(std::same_as<std::ranges::range_value_t<generator<std::string_view, std::string>>,
                           std::string>);
static_assert(std::ranges::input_range<generator<std::unique_ptr<int>>>);
static_assert(std::same_as<std::ranges::range_reference_t<generator<std::string_view, std::string>>,
                           std::string_view>);

class generators : public anywhere {};
INSTANTIATE_TEST_SUITE_P(workers, generators, testing::Values(0u, 1u, 2u, 4u));

template <class Range>
std::vector<std::ranges::range_value_t<Range>> all_of(Range&& range) {
  std::vector<std::ranges::range_value_t<Range>> found;
  for (auto&& each : range) found.emplace_back(std::forward<decltype(each)>(each));
  return found;
}

ints count_to(int n) {
  return ints([n](auto& yield) {
    for (int i = 0; i < n; ++i) yield(i);
  });
}

TEST_P(generators, give_their_elements) {
  run([] {
    EXPECT_EQ(all_of(count_to(4)), (std::vector{0, 1, 2, 3}));
    EXPECT_EQ(all_of(count_to(0)), std::vector<int>());
  });
}

TEST_P(generators, work_with_views_and_algorithms) {
  run([] {
    auto squares = count_to(1000) | views::filter([](int i) { return i % 2 == 1; }) |
                   views::transform([](int i) { return i * i; }) | views::take(4);
    EXPECT_EQ(all_of(squares), (std::vector{1, 9, 25, 49}));
    ints tens = count_to(10);
    const auto five = std::ranges::find(tens, 5);
    EXPECT_EQ(*five, 5);
    EXPECT_EQ(all_of(tens), (std::vector{5, 6, 7, 8, 9})) << "begin() is where it stands";
    EXPECT_EQ(std::ranges::count_if(count_to(100), [](int i) { return i > 89; }), 10);
  });
}

TEST_P(generators, compute_nothing_ahead) {
  run([] {
    int computed = 0;
    ints g([&](auto& yield) {
      for (;;) yield(++computed);
    });
    EXPECT_EQ(computed, 0);
    auto i = g.begin();
    EXPECT_EQ(computed, 1);
    ++i;
    EXPECT_EQ(computed, 2);
    EXPECT_EQ(*i, 2);
  });
}

TEST_P(generators, give_references_and_what_only_moves) {
  run([] {
    std::vector<int> numbers{1, 2, 3};
    for (int& each : generator<int&>([&](auto& yield) { yield.all(numbers); })) each *= 2;
    EXPECT_EQ(numbers, (std::vector{2, 4, 6}));

    const std::string* where = nullptr;
    const std::string text = "not copied";
    for (const std::string& each :
         generator<const std::string&>([&](auto& yield) { yield(text); })) {
      where = &each;
    }
    EXPECT_EQ(where, &text);

    generator<std::unique_ptr<int>> owners([](auto& yield) {
      for (int i = 0; i < 3; ++i) yield(std::make_unique<int>(i));
    });
    std::vector<std::unique_ptr<int>> taken = all_of(owners);
    EXPECT_EQ(*taken.at(2), 2);

    std::string kept = "kept";
    generator<std::string> copies([&](auto& yield) { yield(kept); });
    EXPECT_EQ(all_of(copies), std::vector<std::string>{"kept"});
    EXPECT_EQ(kept, "kept");

    generator<std::string_view, std::string> words([](auto& yield) { yield("word"); });
    EXPECT_EQ(all_of(words), std::vector<std::string>{"word"});
  });
}

TEST_P(generators, let_exceptions_out) {
  run([] {
    ints g([](auto& yield) {
      yield(1);
      throw std::runtime_error("two");
    });
    std::vector<int> seen;
    EXPECT_THROW(
        {
          for (const int i : g) seen.push_back(i);
        },
        std::runtime_error);
    EXPECT_EQ(seen, std::vector{1});
    EXPECT_TRUE(g.begin() == g.end());

    ints at_once([](auto&) { throw 1; });
    EXPECT_THROW(at_once.begin(), int);
  });
}

TEST_P(generators, unwind_when_the_loop_ends_early) {
  run([] {
    bool unwound = false;
    struct flag {
      bool& set;
      ~flag() { set = true; }
    };
    for (const int i : ints([&](auto& yield) {
           const flag local{unwound};
           for (int n = 0;; ++n) yield(n);
         })) {
      EXPECT_FALSE(unwound);
      if (i == 3) break;
    }
    EXPECT_TRUE(unwound);
  });
}

TEST_P(generators, park_and_move_about) {
  run([] {
    ints g([](auto& yield) {
      for (int i = 0; i < 100; ++i) {
        if (i % 9 == 0) this_fiber::sleep_for(10us);
        yield(i);
      }
    });
    auto i = g.begin();
    for (int k = 0; k < 50; ++k, ++i) EXPECT_EQ(*i, k);
    ints moved = std::move(g);
    int left = 0;
    for (; i != std::default_sentinel; ++i) left += *i;
    EXPECT_EQ(left, (50 + 99) * 50 / 2);
    EXPECT_TRUE(moved.begin() == moved.end());
  });
}

// In order, by generators of generators.
ints tree(int low, int high) {
  return ints([=](auto& yield) {
    if (low == high) return;
    const int middle = low + (high - low) / 2;
    yield.all(tree(low, middle));
    yield(middle);
    yield.all(tree(middle + 1, high));
  });
}

TEST_P(generators, yield_all_of_others) {
  run([] {
    const std::vector<int> seen = all_of(tree(0, times(1000)));
    std::vector<int> expected(static_cast<std::size_t>(times(1000)));
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(all_of(ints([](auto& yield) {
                yield.all(views::iota(1, 3));
                yield.all(std::vector{7, 8});
                yield.all(count_to(0));
                yield(9);
              })),
              (std::vector{1, 2, 7, 8, 9}));
  });
}

// The first element of a chain of generators is at its end; all of them are destroyed with it.
ints chain(int depth, int& alive) {
  return ints([=, &alive](auto& yield) {
    struct counted {
      int& of;
      explicit counted(int& n) : of(n) { ++of; }
      ~counted() { --of; }
    } const local(alive);
    if (depth == 0) {
      for (int i = 0;; ++i) yield(i);
    }
    yield.all(chain(depth - 1, alive));
  });
}

TEST_P(generators, are_destroyed_with_those_whose_elements_they_yield) {
  run([] {
    int alive = 0;
    for (const int i : chain(times(1000), alive)) {
      EXPECT_EQ(alive, times(1000) + 1);
      if (i == 3) break;
    }
    EXPECT_EQ(alive, 0);
  });
}

TEST_P(generators, see_what_leaves_those_whose_elements_they_yield) {
  run([] {
    const auto throwing = [](auto what) {
      return ints([what](auto& yield) {
        yield(1);
        throw what;
      });
    };
    EXPECT_EQ(all_of(ints([&](auto& yield) {
                for (int i = 0; i < 2; ++i) {
                  try {
                    yield.all(ints([&](auto& inner) { inner.all(throwing(5)); }));
                  } catch (int five) {
                    yield(five);
                  }
                }
              })),
              (std::vector{1, 5, 1, 5}));
    ints through([&](auto& yield) { yield.all(throwing(std::runtime_error("through"))); });
    EXPECT_THROW(all_of(through), std::runtime_error);
  });
}
}  // namespace
}  // namespace weft::test
