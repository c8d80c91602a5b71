// weft::testing::explore: what it finds, and that a seed says all.
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <vector>

#include "support/explorations.hpp"
#include "support/fibers.hpp"

namespace weft::test {
using namespace std::chrono_literals;
using weft::testing::check;
using weft::testing::explore;
using weft::testing::explore_options;
using weft::testing::explore_result;
using weft::testing::failure;
using weft::testing::point;
using weft::testing::replay;
using weft::testing::strategy;

namespace {

void lost_update() {
  int n = 0;
  const auto increment = [&] {
    const int before = n;
    point("read");
    n = before + 1;
  };
  fiber a(increment);
  fiber b(increment);
  a.join();
  b.join();
  check(n == 2, "an update is lost");
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST(explore, finds_a_lost_update_and_replays_it) {
  const explore_result found = explore(lost_update, quiet());
  ASSERT_EQ(found.kind, failure::check) << found.report;
  EXPECT_TRUE(has(found.message, "an update is lost")) << found.message;
  EXPECT_TRUE(has(found.report, "seed " + std::to_string(found.seed) + " fails")) << found.report;
  EXPECT_TRUE(has(found.report, "at a point \"read\"")) << found.report;
  EXPECT_TRUE(found.deterministic);
  for (int i = 0; i < 3; ++i) {
    const explore_result again = replay(found.seed, lost_update, quiet());
    EXPECT_EQ(again.kind, failure::check);
    EXPECT_EQ(again.schedule, found.schedule);
  }
}

TEST(explore, each_strategy_finds_it) {
  for (const strategy how : {strategy::random_walk, strategy::priorities}) {
    explore_options options = quiet();
    options.strategy = how;
    EXPECT_EQ(explore(lost_update, options).kind, failure::check);
  }
}

TEST(explore, an_update_that_nothing_comes_between_passes_every_seed) {
  const explore_result found = explore(
      [] {
        int n = 0;
        const auto increment = [&] {
          point();
          ++n;
        };
        fiber a(increment);
        fiber b(increment);
        a.join();
        b.join();
        check(n == 2);
      },
      10'000);
  EXPECT_TRUE(found.ok()) << found.report;
  EXPECT_EQ(found.runs, 10'000u);
  EXPECT_EQ(found.report, "");
}

// The bug of figure 5 of the paper on probabilistic concurrency testing: one fiber must run for
// 20 steps while the other waits to go on. A walk finds that with a chance of 2^-20.
TEST(explore, priorities_find_what_a_walk_does_not) {
  const auto far_ahead = [] {
    bool done = false;
    fiber runner([&] {
      for (int i = 0; i < 20; ++i) point();
      done = true;
    });
    fiber other([&] { check(!done, "ran to its end first"); });
    runner.join();
    other.join();
  };
  explore_options options = quiet(100);
  options.strategy = strategy::random_walk;
  EXPECT_TRUE(explore(far_ahead, options).ok());
  options.strategy = strategy::priorities;
  EXPECT_EQ(explore(far_ahead, options).kind, failure::check);
}

TEST(explore, every_order_of_three_fibers_is_seen) {
  std::set<std::string> seen;
  explore(
      [&] {
        std::string order;
        std::vector<fiber> all;
        for (const char c : {'a', 'b', 'c'}) all.emplace_back([&order, c] { order += c; });
        for (fiber& f : all) f.join();
        seen.insert(order);
      },
      200);
  EXPECT_EQ(seen.size(), 6u);
}

TEST(explore, finds_a_livelock) {
  explore_options options = quiet();
  options.max_steps = 500;
  for (const strategy how : {strategy::random_walk, strategy::priorities}) {
    options.strategy = how;
    const explore_result found = explore(
        [] {
          bool never = false;
          fiber spinner([&] {
            while (!never) this_fiber::yield();
          });
          spinner.join();
        },
        options);
    ASSERT_EQ(found.kind, failure::step_limit) << found.report;
    EXPECT_EQ(found.runs, 1u);
    EXPECT_TRUE(has(found.message, "500 steps")) << found.message;
    EXPECT_TRUE(has(found.report, " lines; ")) << found.report;
    // It spins on when asked to stop: a plain yield is no cancellation point.
    EXPECT_GT(found.abandoned, 0u);
  }
}

// Highest priority does not mean for ever: neither who yields nor who only passes points.
TEST(explore, a_fiber_that_spins_until_another_acts_is_no_livelock) {
  for (const bool yields : {true, false}) {
    const explore_result found = explore(
        [yields] {
          bool flag = false;
          fiber setter([&] { flag = true; });
          while (!flag) yields ? this_fiber::yield() : point();
          setter.join();
        },
        quiet(200));
    EXPECT_TRUE(found.ok()) << found.report;
  }
}

TEST(explore, finds_exceptions_that_leave_a_fiber_or_f) {
  const explore_result in_fiber =
      explore([] { fiber([] { throw std::runtime_error("no such luck"); }).join(); }, quiet());
  ASSERT_EQ(in_fiber.kind, failure::exception) << in_fiber.report;
  EXPECT_TRUE(has(in_fiber.message, "left fiber 2: no such luck")) << in_fiber.message;
  EXPECT_THROW(std::rethrow_exception(in_fiber.exception), std::runtime_error);
  const explore_result in_f = explore([] { throw 7; }, quiet());
  EXPECT_EQ(in_f.kind, failure::exception);
  EXPECT_TRUE(has(in_f.message, "left fiber 1: ")) << in_f.message;
  // What ends a fiber that nobody asked to stop is no end.
  EXPECT_EQ(explore([] { throw operation_canceled(); }, quiet()).kind, failure::exception);
}

TEST(explore, finds_fibers_that_outlive_f_for_ever) {
  const auto leaves_two = [] {
    fiber sleeper([] {
      const deadline_scope none(24h);
      fiber([] { this_fiber::sleep_until(testing::clock::time_point::max()); }).join();
    });
    sleeper.detach();
  };
  explore_options options = quiet();
  EXPECT_EQ(explore(leaves_two, options).kind, failure::exception);  // deadline_exceeded
  const auto leaves_one = [] {
    fiber([] { this_fiber::sleep_until(testing::clock::time_point::max()); }).detach();
  };
  const explore_result found = explore(leaves_one, options);
  ASSERT_EQ(found.kind, failure::left_behind) << found.report;
  EXPECT_TRUE(has(found.message, "fiber 2 parked: sleep")) << found.message;
  EXPECT_EQ(found.abandoned, 0u);
  options.stop_left_behind = true;
  EXPECT_TRUE(explore(leaves_one, options).ok());
  // Those that end by themselves are waited for.
  EXPECT_TRUE(explore([] { fiber([] { this_fiber::sleep_for(1s); }).detach(); }, 100).ok());
}

TEST(explore, asks_the_predicate_after_every_run) {
  int runs = 0;
  explore_options options = quiet();
  options.failed = [&] { return ++runs == 3; };
  const explore_result found = explore([] {}, options);
  EXPECT_EQ(found.kind, failure::predicate);
  EXPECT_EQ(found.seed, 3u);
}

TEST(explore, a_choice_is_the_seeds) {
  std::set<std::uint32_t> seen;
  std::vector<std::uint32_t> twice[2];
  for (auto& choices : twice) {
    explore(
        [&] {
          const std::uint32_t chosen = testing::choose(4);
          seen.insert(chosen);
          choices.push_back(chosen);
        },
        100);
  }
  EXPECT_EQ(seen.size(), 4u);
  EXPECT_EQ(twice[0], twice[1]);
}

TEST(explore, fibers_that_cannot_be_ended_are_abandoned_and_nothing_else_is_lost) {
  const explore_result found = explore(
      [] {
        fiber stubborn([] {
          // Not cancellable: a destructor's join.
          struct late {
            fiber other{[] {
              for (;;) this_fiber::yield();
            }};
          } const never;
        });
        check(false);
      },
      [] {
        explore_options options = quiet(10);
        options.max_steps = 200;
        return options;
      }());
  EXPECT_EQ(found.kind, failure::check);
  EXPECT_GT(found.abandoned, 0u);
  EXPECT_TRUE(has(found.report, "are abandoned")) << found.report;
  // The next one has a core of its own.
  EXPECT_EQ(explore(lost_update, quiet()).kind, failure::check);
  EXPECT_TRUE(explore([] { fiber([] {}).join(); }, 100).ok());
}

TEST(explore, runs_where_it_is_called_and_beside_a_fiber_that_calls_it) {
  const auto me = ::pthread_self();
  explore([&] { EXPECT_TRUE(::pthread_equal(::pthread_self(), me)); }, 1);
  weft::run([&] {
    const explore_result found = explore(lost_update, quiet());
    EXPECT_EQ(found.kind, failure::check);
    EXPECT_FALSE(testing::exploring());
  });
  explore(
      [] {
        EXPECT_TRUE(testing::exploring());
        EXPECT_EQ(explore(lost_update, quiet()).kind, failure::check);  // one inside another
        EXPECT_TRUE(testing::exploring());
      },
      1);
}

TEST(explore, outside_of_a_run_points_and_choices_do_nothing) {
  EXPECT_FALSE(testing::exploring());
  point("here");
  EXPECT_EQ(testing::choose(7), 0u);
  check(true);
  weft::run([] {
    point();
    EXPECT_EQ(testing::choose(7), 0u);
  });
}
}  // namespace weft::test
