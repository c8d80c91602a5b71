// Exceptions inside contexts, through frames that have switched, and in flight on several stacks.
#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>

#include "context/context.hpp"
#include "support/toy_scheduler.hpp"

namespace weft::test {
namespace {

struct counted {
  explicit counted(int& live) : live_(live) { ++live_; }
  ~counted() { --live_; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;

 private:
  int& live_;
};

// Switches before and after the call below it, in every frame, and throws at the bottom.
[[gnu::noinline]] int descend(toy_scheduler& scheduler, int depth, int& live) {
  counted guard(live);
  scheduler.yield();
  if (depth == 0) throw std::runtime_error("bottom");
  const int result = descend(scheduler, depth - 1, live) + 1;
  scheduler.yield();
  return result;
}

TEST(exception, is_caught_in_its_own_context) {
  toy_scheduler scheduler;
  std::string caught;
  scheduler.spawn([&] {
    try {
      throw std::runtime_error("inside");
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
  });
  scheduler.run();
  EXPECT_EQ(caught, "inside");
}

TEST(exception, passes_through_frames_that_switched) {
  toy_scheduler scheduler;
  int live = 0;
  int caught = 0;
  for (int i = 0; i < 10; ++i) {
    scheduler.spawn([&, i] {
      for (int depth = i; depth < i + 10; ++depth) {
        try {
          descend(scheduler, depth, live);
        } catch (const std::runtime_error&) {
          ++caught;
        }
      }
    });
  }
  scheduler.run();
  EXPECT_EQ(caught, 100);
  EXPECT_EQ(live, 0) << "every frame was unwound";
}

TEST(exception, switching_while_a_destructor_runs_during_unwinding) {
  struct yielding {
    toy_scheduler& scheduler;
    std::string& trace;
    ~yielding() {
      trace += "unwinding ";
      scheduler.yield();
      trace += "unwound ";
    }
  };
  toy_scheduler scheduler;
  std::string trace;
  scheduler.spawn([&] {
    try {
      yielding local{scheduler, trace};
      throw 1;
    } catch (int) {
      trace += "caught ";
    }
  });
  scheduler.spawn([&] { trace += "other "; });
  scheduler.run();
  EXPECT_EQ(trace, "unwinding other unwound caught ");
}

TEST(exception, is_carried_to_another_context) {
  toy_scheduler scheduler;
  std::exception_ptr carried;
  scheduler.spawn([&] {
    try {
      throw std::out_of_range("carried");
    } catch (...) {
      carried = std::current_exception();
    }
  });
  scheduler.run();
  ASSERT_NE(carried, nullptr);
  EXPECT_THROW(std::rethrow_exception(carried), std::out_of_range);
}

[[gnu::noinline]] void fail() {
  throw std::runtime_error("out of the entry");
}

void throw_out_of_entry(void*) noexcept {
  fail();
}

TEST(exception_death, cannot_leave_the_entry) {
  guarded_stack stack;
  detail::context main;
  const detail::context other = detail::prepare(stack.top(), &throw_out_of_entry);
  EXPECT_DEATH(detail::switch_to(&main, other, nullptr, nullptr), "out of the entry");
}

}  // namespace
}  // namespace weft::test
