#include "support/toy_scheduler.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace weft::test {
namespace {

TEST(toy_scheduler, runs_nothing) {
  toy_scheduler scheduler;
  scheduler.run();
}

TEST(toy_scheduler, takes_turns_in_the_order_of_spawning) {
  toy_scheduler scheduler;
  std::string trace;
  for (char name : {'a', 'b', 'c'}) {
    scheduler.spawn([&, name] {
      for (int turn = 0; turn < 3; ++turn) {
        trace += name;
        scheduler.yield();
      }
    });
  }
  scheduler.run();
  EXPECT_EQ(trace, "abcabcabc");
}

TEST(toy_scheduler, yield_with_nobody_else_goes_on) {
  toy_scheduler scheduler;
  int turns = 0;
  scheduler.spawn([&] {
    while (turns < 5) {
      ++turns;
      scheduler.yield();
    }
  });
  scheduler.run();
  EXPECT_EQ(turns, 5);
}

TEST(toy_scheduler, a_fiber_may_spawn_and_outlive_its_parent) {
  toy_scheduler scheduler;
  std::string trace;
  scheduler.spawn([&] {
    trace += 'p';
    scheduler.spawn([&] {
      trace += 'c';
      scheduler.yield();
      trace += 'C';
    });
  });
  scheduler.spawn([&] { trace += 'q'; });
  scheduler.run();
  EXPECT_EQ(trace, "pqcC");
}

TEST(toy_scheduler, can_run_again) {
  toy_scheduler scheduler;
  int runs = 0;
  for (int i = 0; i < 3; ++i) {
    scheduler.spawn([&] { ++runs; });
    scheduler.run();
    EXPECT_EQ(runs, i + 1);
  }
}

TEST(toy_scheduler, frees_what_a_finished_fiber_owned) {
  toy_scheduler scheduler;
  auto token = std::make_shared<int>(0);
  std::weak_ptr<int> watch = token;
  scheduler.spawn([token] { ++*token; });
  token.reset();
  EXPECT_FALSE(watch.expired());
  scheduler.run();
  EXPECT_TRUE(watch.expired());
}

TEST(toy_scheduler, one_inside_a_fiber_of_another) {
  toy_scheduler outer;
  std::string trace;
  outer.spawn([&] {
    toy_scheduler inner;
    inner.spawn([&] {
      trace += 'i';
      inner.yield();
      trace += 'I';
    });
    inner.spawn([&] { trace += 'j'; });
    inner.run();
    trace += 'o';
    outer.yield();
    trace += 'O';
  });
  outer.spawn([&] { trace += 'x'; });
  outer.run();
  EXPECT_EQ(trace, "ijIoxO");
}

// Each fiber keeps state in locals over its yields; a stack that is shared, freed early or
// overwritten shows in the sum.
TEST(toy_scheduler, ten_thousand_fibers_keep_their_locals) {
  toy_scheduler scheduler;
  constexpr int fibers = 10'000;
  long sum = 0;
  for (int i = 0; i < fibers; ++i) {
    scheduler.spawn([&, i] {
      volatile long local[16];
      for (int k = 0; k < 16; ++k) {
        local[k] = i + k;
        scheduler.yield();
      }
      for (long value : local) sum += value;
    });
  }
  scheduler.run();
  long expected = 0;
  for (int i = 0; i < fibers; ++i) {
    for (int k = 0; k < 16; ++k) expected += i + k;
  }
  EXPECT_EQ(sum, expected);
}

TEST(toy_scheduler_death, overflow_faults_on_the_guard) {
  toy_scheduler scheduler;
  scheduler.spawn([] {
    guarded_stack stack;
    *(stack.limit() - 1) = std::byte{1};
  });
  EXPECT_DEATH(scheduler.run(), "");
}

}  // namespace
}  // namespace weft::test
