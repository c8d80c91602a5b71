// Results on their way between fibers and kernel threads, as the standard's futures have it.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <weft/future.hpp>
#include <weft/scope.hpp>

#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

template <class F>
std::error_code future_error_of(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const std::future_error& error) {
    return error.code();
  }
  return {};
}

class futures : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, futures, testing::Values(1, 2, 4));

TEST_P(futures, a_value_goes_from_fiber_to_fiber) {
  rt.run([] {
    for (int i = 0; i < 500; ++i) {
      promise<int> from;
      future<int> to = from.get_future();
      fiber sets([&] {
        if (i % 2 == 0) this_fiber::yield();
        from.set_value(i);
      });
      ASSERT_EQ(to.get(), i);
      ASSERT_FALSE(to.valid());
    }
  });
}

TEST_P(futures, between_fibers_and_kernel_threads_both_ways) {
  for (int i = 0; i < 20; ++i) {
    promise<std::unique_ptr<int>> to_thread;
    promise<int> to_fiber;
    auto from_fiber = to_thread.get_future();
    auto from_thread = to_fiber.get_future();
    fiber sets(on(rt), [&] {
      this_fiber::sleep_for(1ms);
      to_thread.set_value(std::make_unique<int>(i));
      EXPECT_EQ(from_thread.get(), -i);
    });
    EXPECT_EQ(*from_fiber.get(), i);
    to_fiber.set_value(-i);
    sets.join();
  }
}

TEST_P(futures, the_setter_may_be_told_of_the_end_by_the_getter) {
  rt.run([] {
    for (int i = 0; i < 500; ++i) {
      auto from = std::make_unique<promise<int>>();
      future<int> to = from->get_future();
      fiber sets([own = std::move(from), i] { own->set_value(i); });
      ASSERT_EQ(to.get(), i);  // the state goes here or there, whoever is last
    }
  });
}

TEST(future, exceptions_arrive) {
  promise<int> from;
  future<int> to = from.get_future();
  from.set_exception(std::make_exception_ptr(std::runtime_error("sent")));
  EXPECT_THROW(to.get(), std::runtime_error);
  EXPECT_FALSE(to.valid());
}

TEST(future, references_and_void) {
  int there = 1;
  promise<int&> from;
  future<int&> to = from.get_future();
  from.set_value(there);
  to.get() = 5;
  EXPECT_EQ(there, 5);
  promise<void> event;
  future<void> happened = event.get_future();
  EXPECT_EQ(happened.wait_for(0ms), std::future_status::timeout);
  event.set_value();
  EXPECT_EQ(happened.wait_for(0ms), std::future_status::ready);
  happened.get();
}

TEST(future, misuse_throws_what_std_throws) {
  promise<int> from;
  future<int> to = from.get_future();
  EXPECT_EQ(future_error_of([&] { from.get_future(); }),
            std::future_errc::future_already_retrieved);
  from.set_value(1);
  EXPECT_EQ(future_error_of([&] { from.set_value(2); }),
            std::future_errc::promise_already_satisfied);
  EXPECT_EQ(future_error_of([&] { from.set_exception(nullptr); }),
            std::future_errc::promise_already_satisfied);
  EXPECT_EQ(to.get(), 1);
  EXPECT_EQ(future_error_of([&] { to.get(); }), std::future_errc::no_state);
  EXPECT_EQ(future_error_of([&] { to.wait(); }), std::future_errc::no_state);
  EXPECT_EQ(future_error_of([&] { to.wait_for(1ms); }), std::future_errc::no_state);
  promise<int> moved = std::move(from);
  EXPECT_EQ(future_error_of([&] { from.get_future(); }), std::future_errc::no_state);
  EXPECT_EQ(future_error_of([&] { from.set_value(1); }), std::future_errc::no_state);
  EXPECT_EQ(future_error_of([] { packaged_task<void()>()(); }), std::future_errc::no_state);
}

TEST(future, a_promise_that_goes_away_is_broken) {
  future<int> to;
  {
    promise<int> from;
    to = from.get_future();
  }
  EXPECT_EQ(future_error_of([&] { to.get(); }), std::future_errc::broken_promise);
  promise<int> first;
  to = first.get_future();
  first = promise<int>();
  EXPECT_EQ(future_error_of([&] { to.get(); }), std::future_errc::broken_promise);
}

TEST(future, a_copy_that_throws_has_stored_nothing) {
  struct fragile {
    fragile() = default;
    fragile(const fragile&) { throw std::runtime_error("copied"); }
    fragile(fragile&&) noexcept = default;
  };
  promise<fragile> from;
  future<fragile> to = from.get_future();
  const fragile value;
  EXPECT_THROW(from.set_value(value), std::runtime_error);
  EXPECT_EQ(to.wait_for(0ms), std::future_status::timeout);
  from.set_value(fragile());
  EXPECT_NO_THROW(to.get());
}

TEST_P(futures, timed_waits_at_every_kind_of_deadline) {
  const auto waits = [] {
    promise<int> from;
    future<int> to = from.get_future();
    using std::future_status;
    EXPECT_EQ(to.wait_for(0ms), future_status::timeout);
    EXPECT_EQ(to.wait_for(-1h), future_status::timeout);
    EXPECT_EQ(to.wait_until(std::chrono::steady_clock::time_point::min()), future_status::timeout);
    EXPECT_EQ(to.wait_until(std::chrono::system_clock::now() - 1h), future_status::timeout);
    EXPECT_EQ(to.wait_for(1ms), future_status::timeout);
    EXPECT_EQ(to.wait_until(std::chrono::system_clock::now() + 1ms), future_status::timeout);
    from.set_value(1);
    EXPECT_EQ(to.wait_for(std::chrono::hours::max()), future_status::ready);
    EXPECT_EQ(to.wait_until(std::chrono::steady_clock::time_point::max()), future_status::ready);
    EXPECT_EQ(to.wait_for(-1h), future_status::ready);
  };
  rt.run(waits);
  waits();
}

TEST_P(futures, a_wait_without_end_ends_when_the_value_comes) {
  rt.run([] {
    promise<int> from;
    future<int> to = from.get_future();
    fiber sets([&] {
      this_fiber::sleep_for(1ms);
      from.set_value(1);
    });
    EXPECT_EQ(to.wait_for(std::chrono::hours::max()), std::future_status::ready);
  });
}

TEST_P(futures, a_canceled_get_can_be_repeated) {
  rt.run([] {
    promise<int> from;
    future<int> to = from.get_future();
    std::atomic<bool> waits{false};
    std::atomic<bool> was_canceled{false};
    int got = 0;
    fiber gets([&] {
      waits = true;
      was_canceled = canceled([&] { static_cast<void>(to.get()); });
      const cancel_shield again;
      got = to.get();
    });
    until([&] { return waits.load(); });
    gets.request_stop();
    until([&] { return was_canceled.load(); });
    from.set_value(8);
    gets.join();
    EXPECT_EQ(got, 8);
  });
}

TEST_P(futures, a_deadline_scope_ends_a_get) {
  rt.run([] {
    promise<int> from;
    future<int> to = from.get_future();
    const deadline_scope limit(1ms);
    EXPECT_THROW(to.get(), deadline_exceeded);
    EXPECT_TRUE(to.valid());
  });
}

TEST_P(futures, shared_by_many) {
  rt.run([] {
    promise<std::string> from;
    shared_future<std::string> to = from.get_future();
    std::atomic<int> right{0};
    std::thread outside([to, &right] { right += to.get() == "for all"; });
    scope all;
    for (int i = 0; i < 50; ++i) all.spawn([to, &right] { right += to.get() == "for all"; });
    this_fiber::sleep_for(1ms);
    from.set_value("for all");
    all.join();
    blocking([&] { outside.join(); });
    EXPECT_EQ(right, 51);
    EXPECT_EQ(&to.get(), &to.get());
  });
}

TEST_P(futures, more_kernel_threads_than_a_batch_of_wakes) {
  promise<int> from;
  shared_future<int> to = from.get_future().share();
  std::vector<std::thread> threads;
  std::atomic<int> sum{0};
  for (int i = 0; i < 40; ++i) threads.emplace_back([to, &sum] { sum += to.get(); });
  std::this_thread::sleep_for(5ms);
  rt.run([&] { from.set_value(1); });
  for (auto& each : threads) each.join();
  EXPECT_EQ(sum, 40);
}
}  // namespace
}  // namespace weft::test
