// Coroutines that wait for what fibers make ready, and fibers that wait for coroutines.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include <weft/coroutine.hpp>
#include <weft/scope.hpp>

#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class coroutines : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, coroutines, testing::Values(1, 2, 4));

task<int> twice(future<int> f) {
  co_return 2 * co_await std::move(f);
}
task<void> until_set(event& e) {
  co_await e;
}
task<int> depth(int n) {
  if (n == 0) co_return 0;
  co_return 1 + co_await depth(n - 1);
}

// One that nobody waits for; says how it ended.
struct on_its_own {
  struct promise_type {
    on_its_own get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const { throw; }
  };
};
on_its_own wait_alone(event& e, std::atomic<int>& ended, std::atomic<int>& stopped) {
  try {
    co_await e;
    ++ended;
  } catch (const operation_canceled&) {
    ++stopped;
  }
}

TEST_P(coroutines, results_of_fibers_whenever_they_come) {
  rt.run([] {
    for (int i = 0; i < 500; ++i) {
      auto later = async([i] {
        if (i % 3 == 0) this_fiber::yield();
        return i;
      });
      if (i % 5 == 0) this_fiber::yield();
      ASSERT_EQ(await(twice(std::move(later))), 2 * i);
    }
  });
}

// Again and again, until the value comes when the coroutine waits already: one that finds it goes
// on where it is.
TEST_P(coroutines, from_kernel_threads_they_go_on_on_the_default_runtime) {
  fiber::id where;
  const auto tell = [](future<int> f, fiber::id& id) -> task<int> {
    const int n = co_await std::move(f);
    id = this_fiber::get_id();
    co_return n;
  };
  do {
    promise<int> from;
    auto to = from.get_future();
    std::thread sets([&] {
      std::this_thread::sleep_for(2ms);
      from.set_value(9);
    });
    EXPECT_EQ(await(tell(std::move(to), where)), 9);
    sets.join();
  } while (where == fiber::id());
}

TEST_P(coroutines, exceptions_references_and_move_only_results) {
  rt.run([] {
    const auto fails = []() -> task<int> {
      throw std::runtime_error("it failed");
      co_return 1;
    };
    EXPECT_THROW(await(fails()), std::runtime_error);
    int there = 1;
    const auto refers = [](int& n) -> task<int&> { co_return n; };
    await(refers(there)) = 6;
    EXPECT_EQ(there, 6);
    const auto owns = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
    EXPECT_EQ(*await(owns()), 3);
    auto failed = async([]() -> int { throw std::logic_error("the future's"); });
    EXPECT_THROW(await(twice(std::move(failed))), std::logic_error);
    EXPECT_THROW(await(twice(future<int>())), std::future_error);
  });
}

TEST_P(coroutines, await_takes_futures_and_events_themselves) {
  rt.run([] {
    EXPECT_EQ(await(async([] { return 4; })), 4);
    const auto shared = async([] { return std::string("both"); }).share();
    EXPECT_EQ(await(shared), "both");
    EXPECT_EQ(await(shared), "both");
    event e;
    e.set();
    await(e);
  });
}

// Without optimisation compilers make calls of the transfers in a chain.
TEST_P(coroutines, a_long_chain) {
  fiber_options roomy = on(rt);
  roomy.stack_size = 8 << 20;
  fiber(roomy, [] { EXPECT_EQ(await(depth(2000)), 2000); }).join();
}

TEST_P(coroutines, may_park_as_fibers_do) {
  rt.run([] {
    const auto sleeps = [](future<int> f) -> task<int> {
      const int n = co_await std::move(f);
      this_fiber::sleep_for(1ms);
      co_return n + 1;
    };
    EXPECT_EQ(await(sleeps(async([] {
                this_fiber::sleep_for(1ms);
                return 1;
              }))),
              2);
  });
}

TEST_P(coroutines, many_wait_for_one_event_without_stacks) {
  rt.run([&] {
    constexpr int many = 5000;
    event e;
    std::atomic<int> ended{0};
    std::atomic<int> stopped{0};
    const std::size_t stacks = rt.stats().stacks_in_use;
    for (int i = 0; i < many; ++i) wait_alone(e, ended, stopped);
    EXPECT_LT(rt.stats().stacks_in_use, stacks + 10);
    EXPECT_EQ(ended, 0);
    e.set();
    until([&] { return ended == many; });
    EXPECT_EQ(stopped, 0);
  });
}

TEST_P(coroutines, the_end_of_a_runtime_cancels_their_waits) {
  event never;
  std::atomic<int> ended{0};
  std::atomic<int> stopped{0};
  {
    runtime ends({.workers = GetParam()});
    ends.run([&] {
      for (int i = 0; i < 20; ++i) wait_alone(never, ended, stopped);
    });
  }
  EXPECT_EQ(stopped, 20);
  EXPECT_EQ(ended, 0);
}

// The event is set, and the runtime asked to end, while coroutines begin to wait.
TEST_P(coroutines, set_against_wait_against_stop) {
  for (int round = 0; round < 100; ++round) {
    event e;
    std::atomic<int> ended{0};
    std::atomic<int> stopped{0};
    {
      runtime ends({.workers = GetParam()});
      fiber waits(on(ends), [&] {
        for (int i = 0; i < 20; ++i) wait_alone(e, ended, stopped);
      });
      if (round % 2 == 0) e.set();
      waits.detach();
    }
    ASSERT_EQ(ended + stopped, 20);
  }
}

TEST_P(coroutines, a_task_that_is_not_awaited_never_runs) {
  bool ran = false;
  {
    const auto sets = [](bool& flag) -> task<> {
      flag = true;
      co_return;
    };
    auto never = sets(ran);
    auto moved = std::move(never);
  }
  EXPECT_FALSE(ran);
}

TEST_P(coroutines, a_stop_of_the_waiting_fiber_does_not_leave_a_coroutine_half_done) {
  rt.run([] {
    event e;
    bool done = false;
    fiber waits([&] {
      await(until_set(e));
      done = true;
    });
    this_fiber::sleep_for(1ms);
    waits.request_stop();
    this_fiber::sleep_for(1ms);
    EXPECT_FALSE(done);
    e.set();
    waits.join();
    EXPECT_TRUE(done);
  });
}
}  // namespace
}  // namespace weft::test
