// The library's own protocols under many schedules: a wait ends once, by whoever was first, and
// leaves everything in order.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>
#include <weft/testing.hpp>

#include "support/dumps.hpp"
#include "support/explorations.hpp"

namespace weft::test {
using namespace std::chrono_literals;
using weft::testing::check;
using weft::testing::explore;
using weft::testing::explore_options;
using weft::testing::explore_result;
using weft::testing::point;

namespace {
constexpr std::uint64_t seeds = 3000;

// Explores f, which returns how it ended, and expects to have seen each of these ends and no other.
template <class F>
void expect_ends(std::initializer_list<const char*> wanted, F f, bool busy_clock = false) {
  std::map<std::string, int> seen;
  explore_options options;
  options.seeds = seeds;
  options.busy_clock = busy_clock;
  const explore_result found = explore([&] { ++seen[f()]; }, options);
  EXPECT_TRUE(found.ok()) << found.report;
  for (const char* const end : wanted) EXPECT_GT(seen[end], 0) << end;
  EXPECT_EQ(seen.size(), wanted.size());
}

// The wait's end as a word.
template <class Wait>
std::string ended(Wait wait) {
  try {
    wait();
    return "done";
  } catch (const operation_canceled&) {
    return "canceled";
  } catch (const deadline_exceeded&) {
    return "timed out";
  }
}
}  // namespace

TEST(explore_core, a_sleep_against_a_stop) {
  expect_ends({"done", "canceled"}, [] {
    std::string how;
    fiber sleeper([&] { how = ended([] { this_fiber::sleep_for(1ms); }); });
    this_fiber::sleep_for(1ms);
    sleeper.request_stop();
    sleeper.join();
    return how;
  });
}

TEST(explore_core, a_sleep_against_its_deadline_and_a_stop) {
  expect_ends(
      {"done", "canceled", "timed out"},
      [] {
        std::string how;
        fiber sleeper([&] {
          how = ended([] {
            const deadline_scope limit(2ms);
            this_fiber::sleep_for(1ms);
            this_fiber::sleep_for(1ms);
          });
        });
        fiber stopper([&] {
          this_fiber::sleep_for(2ms);
          sleeper.request_stop();
        });
        stopper.join();
        sleeper.join();
        return how;
      },
      true);
}

// The joiner's deadline, the end of the joined one and a stop of the joiner, all at one time: the
// handle is joinable after a join that has thrown, and only then.
TEST(explore_core, a_join_against_the_end_a_deadline_and_a_stop) {
  expect_ends(
      {"done", "canceled", "timed out"},
      [] {
        std::string how;
        fiber worker([] { this_fiber::sleep_for(1ms); });
        fiber joiner([&] {
          const deadline_scope limit(1ms);
          how = ended([&] { worker.join(); });
          check(worker.joinable() == (how != "done"), "joinable");
        });
        this_fiber::sleep_for(1ms);
        joiner.request_stop();
        joiner.join();
        if (worker.joinable()) worker.join();
        return how;
      },
      true);
}

// A second join on the block that the first one withdrew from.
TEST(explore_core, joins_that_time_out_and_are_repeated) {
  expect_ends({"3", "4"}, [] {
    fiber worker([] {
      for (int i = 0; i < 3; ++i) this_fiber::sleep_for(1ms);
    });
    int joins = 0;
    for (std::string how; how != "done"; ++joins) {
      how = ended([&] {
        const deadline_scope limit(1ms);
        worker.join();
      });
    }
    return std::to_string(joins);
  });
}

TEST(explore_core, a_detach_against_the_end) {
  const explore_result found = explore(
      [] {
        const auto alive = std::make_shared<int>(0);
        for (int i = 0; i < 3; ++i) {
          fiber f([alive] { point(); });
          point();
          f.detach();
        }
        while (alive.use_count() > 1) this_fiber::yield();
      },
      seeds);
  EXPECT_TRUE(found.ok()) << found.report;
}

// The destructor stops and joins, wherever the fiber is: not begun, ready, asleep, ended.
TEST(explore_core, a_destructor_against_everything) {
  expect_ends({"canceled", "done"}, [] {
    std::string how;
    {
      const fiber f([&] {
        how = ended([] {
          point();
          this_fiber::sleep_for(1ms);
        });
      });
      if (testing::choose(2)) this_fiber::sleep_for(1ms);
      point();
    }
    return how;  // never empty: one that has not begun when it is asked to stop runs to its first
                 // wait
  });
}

// A stop is sticky: whenever it comes, one wait of the fiber ends by it, and so do all after it.
TEST(explore_core, a_stop_is_not_lost_between_two_waits) {
  const explore_result found = explore(
      [] {
        int waits = 0;
        fiber f([&] {
          for (;;) {
            this_fiber::sleep_for(1ms);
            ++waits;
          }
        });
        for (std::uint32_t i = testing::choose(4); i > 0; --i) this_fiber::sleep_for(1ms);
        check(f.request_stop(), "the first request");
        check(!f.request_stop(), "the second");
        f.join();
        check(waits <= 3);
      },
      seeds);
  EXPECT_TRUE(found.ok()) << found.report;
}

TEST(explore_core, stop_callbacks_run_once) {
  const explore_result found = explore(
      [] {
        int calls = 0;
        fiber f([&](std::stop_token stop) {
          const std::stop_callback counted(stop, [&] { ++calls; });
          ended([] { this_fiber::sleep_for(1ms); });
          ended([] { this_fiber::sleep_for(1h); });
        });
        fiber other([source = f.get_stop_source()]() mutable { source.request_stop(); });
        f.request_stop();
        other.join();
        f.join();
        check(calls == 1, "not once");
      },
      seeds);
  EXPECT_TRUE(found.ok()) << found.report;
}

TEST(explore_core, a_tree_of_fibers_and_a_pinned_one) {
  const explore_result found = explore(
      [] {
        int leaves = 0;
        const auto grow = [&leaves](auto& self, int depth) -> void {
          if (depth == 0) {
            ++leaves;
            return;
          }
          fiber left([&self, depth] { self(self, depth - 1); });
          const this_fiber::pin stay;
          fiber right([&self, depth] { self(self, depth - 1); });
          right.join();
          left.join();
        };
        grow(grow, 3);
        check(leaves == 8);
      },
      seeds / 10);
  EXPECT_TRUE(found.ok()) << found.report;
}

// An event as people write it: a flag, and a note that somebody waits. Noted after the look, it is
// missed by a setter that comes in between.
TEST(explore_core, a_wake_between_look_and_wait_is_found) {
  const auto wait_for_flag = [](bool looks_first) {
    bool set = false;
    bool waiting = false;
    fiber waiter([&] {
      if (!looks_first) waiting = true;
      if (set) return;
      point("looked");
      waiting = true;
      ended([] { this_fiber::sleep_until(testing::clock::time_point::max()); });
    });
    set = true;
    if (waiting) waiter.request_stop();
    waiter.join();
  };
  explore_options options;
  options.print_to = -1;
  const explore_result lost = explore([&] { wait_for_flag(true); }, options);
  EXPECT_EQ(lost.kind, testing::failure::deadlock) << lost.report;
  EXPECT_TRUE(explore([&] { wait_for_flag(false); }, seeds).ok());
}

// Also those that do not wait.
TEST(explore_core, cancellation_points_and_stop_requests_are_scheduling_points) {
  explore_options options;
  options.print_to = -1;
  const auto lost_across = [&](auto in_between) {
    return !explore(
                [&] {
                  int n = 0;
                  const auto increment = [&] {
                    const int before = n;
                    in_between();
                    n = before + 1;
                  };
                  fiber a(increment);
                  fiber b(increment);
                  a.join();
                  b.join();
                  check(n == 2);
                },
                options)
                .ok();
  };
  EXPECT_FALSE(lost_across([] {}));
  EXPECT_TRUE(lost_across([] { this_fiber::sleep_for(0s); }));
  EXPECT_TRUE(lost_across([] { weft::blocking([] {}); }));
  EXPECT_TRUE(lost_across([] { fiber([] {}).detach(); }));
  EXPECT_TRUE(lost_across([] {
    fiber ended([] {});
    ended.request_stop();
  }));
}

TEST(explore_core, thousands_of_fibers) {
  const explore_result found = explore(
      [] {
        std::vector<fiber> all;
        for (int i = 0; i < 3000; ++i) all.emplace_back([] { point(); });
        for (fiber& f : all) f.join();
      },
      2);
  EXPECT_TRUE(found.ok()) << found.report;
}

// Else every later dump would take them for fibers that may still do something.
TEST(explore_core, what_is_abandoned_is_in_no_dump) {
  explore_options options = quiet(1);
  options.max_steps = 200;
  const auto never_ends = [] {
    for (;;) this_fiber::yield();
  };
  EXPECT_EQ(explore([&] { fiber(never_ends).join(); }, options).abandoned, 2u);
  EXPECT_EQ(dumped(), "0 fibers\n");
}
}  // namespace weft::test
