// Functions run for their results: async, packaged_task, when_all, when_any.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>
#include <weft/when.hpp>

#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class asyncs : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, asyncs, testing::Values(1, 2, 4));

TEST_P(asyncs, results_and_exceptions) {
  rt.run([] {
    EXPECT_EQ(async([](int a, int b) { return a + b; }, 2, 3).get(), 5);
    EXPECT_EQ(*async([] { return std::make_unique<int>(4); }).get(), 4);
    EXPECT_EQ(async([](std::unique_ptr<int> p) { return *p; }, std::make_unique<int>(6)).get(), 6);
    int there = 0;
    async([](int& n) -> int& { return n; }, std::ref(there)).get() = 7;
    EXPECT_EQ(there, 7);
    future<int> fails = async([]() -> int { throw std::runtime_error("it failed"); });
    EXPECT_THROW(fails.get(), std::runtime_error);
  });
}

TEST_P(asyncs, runs_on_a_fiber_of_its_own) {
  rt.run([] {
    const fiber::id me = this_fiber::get_id();
    EXPECT_NE(async([] { return this_fiber::get_id(); }).get(), me);
    EXPECT_NE(
        weft::async(std::launch::async | std::launch::deferred, [] { return this_fiber::get_id(); })
            .get(),
        me);
  });
  EXPECT_NE(async([] { return this_fiber::get_id(); }).get(), fiber::id());
}

TEST_P(asyncs, deferred_runs_in_the_first_wait) {
  rt.run([] {
    int runs = 0;
    future<fiber::id> later = weft::async(std::launch::deferred, [&] {
      ++runs;
      return this_fiber::get_id();
    });
    EXPECT_EQ(later.wait_for(1h), std::future_status::deferred);
    EXPECT_EQ(runs, 0);
    later.wait();
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(later.wait_for(0ms), std::future_status::ready);
    EXPECT_EQ(later.get(), this_fiber::get_id());
    static_cast<void>(weft::async(std::launch::deferred, [&] { ++runs; }));
    EXPECT_EQ(runs, 1);  // nobody waited
  });
}

TEST_P(asyncs, a_deferred_function_runs_once_for_many) {
  rt.run([] {
    std::atomic<int> runs{0};
    shared_future<int> later = weft::async(std::launch::deferred, [&] {
                                 this_fiber::sleep_for(1ms);
                                 return ++runs;
                               }).share();
    scope all;
    for (int i = 0; i < 20; ++i) all.spawn([later] { EXPECT_EQ(later.get(), 1); });
    all.join();
  });
}

TEST_P(asyncs, the_last_future_waits_for_the_function) {
  rt.run([] {
    for (int i = 0; i < 100; ++i) {
      std::atomic<bool> ended{false};
      {
        auto going = async([&] {
                       this_fiber::yield();
                       ended = true;
                     }).share();
        const auto another = going;
      }
      ASSERT_TRUE(ended);
    }
  });
}

TEST_P(asyncs, what_the_function_holds_is_gone_when_the_result_is_there) {
  rt.run([] {
    for (int i = 0; i < 300; ++i) {
      const auto held = std::make_shared<int>(i);
      auto going = async([held] { return *held; });
      going.wait();
      ASSERT_EQ(held.use_count(), 1);
    }
  });
}

TEST_P(asyncs, a_stop_of_the_waiting_fiber_is_passed_on_by_the_destructor) {
  rt.run([] {
    std::atomic<bool> begun{false};
    bool inner_stopped = false;
    bool went_on = false;
    fiber owner([&] {
      {
        auto going = async([&] {
          begun = true;
          inner_stopped = canceled([] { this_fiber::sleep_for(1h); });
        });
      }
      went_on = true;
    });
    until([&] { return begun.load(); });
    owner.request_stop();
    owner.join();
    EXPECT_TRUE(inner_stopped);
    EXPECT_TRUE(went_on);
  });
}

TEST_P(asyncs, takes_a_stop_token) {
  rt.run([] {
    std::atomic<bool> begun{false};
    fiber owner([&] {
      auto going = async(
          [&](std::stop_token asked, int n) {
            begun = true;
            until([&] { return asked.stop_requested(); });
            return n;
          },
          3);
    });
    until([&] { return begun.load(); });
    owner.request_stop();
    owner.join();
  });
}

TEST(packaged_task, calls_once_and_again_after_a_reset) {
  int calls = 0;
  packaged_task<int(int)> task([&](int n) {
    ++calls;
    if (n < 0) throw std::runtime_error("negative");
    return n * n;
  });
  future<int> first = task.get_future();
  task(4);
  EXPECT_EQ(first.get(), 16);
  EXPECT_THROW(task(5), std::future_error);
  task.reset();
  future<int> second = task.get_future();
  task(-1);
  EXPECT_THROW(second.get(), std::runtime_error);
  EXPECT_EQ(calls, 2);
  future<int> never;
  {
    packaged_task<int(int)> dropped = std::move(task);
    dropped.reset();
    never = dropped.get_future();
    EXPECT_FALSE(task.valid());
  }
  EXPECT_THROW(never.get(), std::future_error);
}

TEST(packaged_task, on_a_fiber) {
  packaged_task<std::unique_ptr<int>(std::unique_ptr<int>)> task(
      [](std::unique_ptr<int> p) { return p; });
  auto result = task.get_future();
  fiber(std::move(task), std::make_unique<int>(5)).join();
  EXPECT_EQ(*result.get(), 5);
}

TEST_P(asyncs, when_all_of_different_kinds) {
  rt.run([] {
    promise<void> mine;
    shared_future<void> event = mine.get_future();
    auto all = when_all(async([] { return 1; }), async([] {
                          this_fiber::sleep_for(1ms);
                          return std::make_unique<int>(2);
                        }),
                        event, weft::async(std::launch::deferred, [] { return 'c'; }),
                        async([]() -> int { throw std::runtime_error("one failed"); }));
    EXPECT_EQ(all.wait_for(2ms), std::future_status::timeout);
    mine.set_value();
    auto [one, two, third, four, five] = all.get();
    EXPECT_EQ(one.get(), 1);
    EXPECT_EQ(*two.get(), 2);
    third.get();
    EXPECT_EQ(four.get(), 'c');
    EXPECT_THROW(five.get(), std::runtime_error);
  });
}

TEST_P(asyncs, when_any_tells_the_first_and_gives_back_all) {
  rt.run([] {
    std::vector<promise<int>> from(100);
    std::vector<future<int>> to;
    for (auto& each : from) to.push_back(each.get_future());
    auto any = when_any(to.begin(), to.end());
    EXPECT_EQ(any.wait_for(1ms), std::future_status::timeout);
    EXPECT_FALSE(to[0].valid());
    from[42].set_value(4200);
    auto first = any.get();
    ASSERT_EQ(first.index, 42u);
    EXPECT_EQ(first.futures[42].get(), 4200);
    for (int i = 0; i < 100; ++i) {
      if (i != 42) from[static_cast<std::size_t>(i)].set_value(i);
    }
    first.futures.erase(first.futures.begin() + 42);
    const auto rest = when_all(first.futures.begin(), first.futures.end()).get();
    EXPECT_EQ(rest.size(), 99u);
  });
}

TEST(when, of_nothing_is_ready) {
  static_cast<void>(when_all().get());
  EXPECT_EQ(when_any().get().index, static_cast<std::size_t>(-1));
  std::vector<future<int>> none;
  EXPECT_TRUE(when_all(none.begin(), none.end()).get().empty());
  EXPECT_EQ(when_any(none.begin(), none.end()).get().index, static_cast<std::size_t>(-1));
}

TEST(when, an_invalid_future_is_refused_and_nothing_is_taken) {
  promise<int> from;
  future<int> good = from.get_future();
  future<int> bad;
  EXPECT_THROW(static_cast<void>(when_all(std::move(good), std::move(bad))), std::future_error);
  EXPECT_TRUE(good.valid());
  std::vector<future<int>> two(2);
  two[0] = std::move(good);
  EXPECT_THROW(static_cast<void>(when_any(two.begin(), two.end())), std::future_error);
  EXPECT_TRUE(two[0].valid());
}

// The futures go before their promises are kept, and the result before either.
TEST_P(asyncs, when_any_whose_result_nobody_wants) {
  rt.run([] {
    for (int i = 0; i < 200; ++i) {
      promise<int> kept;
      promise<int> late;
      scope all;
      {
        auto any = when_any(kept.get_future(), late.get_future());
        all.spawn([&] { kept.set_value(1); });
        all.spawn([&] { late.set_value(2); });
        if (i % 2 == 0) any.wait();
      }
      all.join();
    }
  });
}
}  // namespace
}  // namespace weft::test
