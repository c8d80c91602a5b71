// What is told when a fiber or thread has ended: set_value_at_thread_exit and its like.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <weft/coroutine.hpp>
#include <weft/local.hpp>

#include "support/death.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using std::future_status;

template <class T>
bool is_ready(const future<T>& of) {
  const cancel_shield whole;
  return of.wait_for(0ms) == future_status::ready;
}

class at_exit : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, at_exit, testing::Values(1, 2, 4));

// Looks at a future when a fiber's or thread's locals go.
struct last_look {
  const future<int>* at = nullptr;
  std::optional<bool>* ready = nullptr;
  ~last_look() {
    if (at) *ready = is_ready(*at);
  }
};

TEST_P(at_exit, of_a_fiber_comes_behind_its_locals_and_before_who_joins_it) {
  rt.run([] {
    fiber_local<last_look> local;
    for (int i = 0; i < 50; ++i) {
      promise<int> from;
      future<int> to = from.get_future();
      std::optional<bool> seen;
      bool early = true;
      fiber sets([&] {
        local->ready = &seen;
        local->at = &to;
        from.set_value_at_thread_exit(i);
        this_fiber::yield();
        early = is_ready(to);
      });
      sets.join();
      ASSERT_FALSE(early);
      ASSERT_EQ(seen, false);
      ASSERT_TRUE(is_ready(to));
      ASSERT_EQ(to.get(), i);
    }
  });
}

TEST_P(at_exit, wakes_who_waits_and_outlives_the_promise) {
  rt.run([] {
    for (int i = 0; i < 200; ++i) {
      auto from = std::make_unique<promise<std::unique_ptr<int>>>();
      auto to = from->get_future();
      event go;
      fiber sets([own = std::move(from), i, &go] {
        own->set_value_at_thread_exit(std::make_unique<int>(i));
        go.wait();
      });
      fiber lets_go([&] { go.set(); });
      ASSERT_EQ(*to.get(), i);
    }
  });
}

thread_local last_look of_thread;

TEST_P(at_exit, of_a_kernel_thread_comes_behind_its_thread_locals) {
  promise<int> from;
  future<int> to = from.get_future();
  std::optional<bool> seen;
  std::thread sets([&] {
    of_thread.ready = &seen;
    of_thread.at = &to;
    from.set_value_at_thread_exit(3);
    EXPECT_FALSE(is_ready(to));
  });
  rt.run([&] { EXPECT_EQ(to.get(), 3); });
  sets.join();
  EXPECT_EQ(seen, false);
}

// The fiber, as its locals are, also where its code counts as a kernel thread.
TEST_P(at_exit, inside_blocking_it_is_the_fibers_end) {
  rt.run([] {
    promise<void> from;
    auto to = from.get_future();
    fiber([&] {
      blocking([&] { from.set_value_at_thread_exit(); });
      this_fiber::yield();
      EXPECT_FALSE(is_ready(to));
    }).join();
    EXPECT_TRUE(is_ready(to));
  });
}

TEST_P(at_exit, references_exceptions_and_stops) {
  rt.run([] {
    int there = 1;
    promise<int&> refers;
    promise<int> fails;
    auto reference = refers.get_future();
    auto failure = fails.get_future();
    fiber ends([&] {
      refers.set_value_at_thread_exit(there);
      fails.set_exception_at_thread_exit(std::make_exception_ptr(std::runtime_error("late")));
      this_fiber::sleep_for(1h);
    });
    EXPECT_EQ(failure.wait_for(1ms), future_status::timeout);
    ends.request_stop();  // it ends by operation_canceled
    reference.get() = 4;
    EXPECT_EQ(there, 4);
    EXPECT_THROW(failure.get(), std::runtime_error);
  });
}

TEST_P(at_exit, what_was_stored_is_satisfied_at_once) {
  rt.run([] {
    promise<int> from;
    auto to = from.get_future();
    fiber([&] {
      from.set_value_at_thread_exit(1);
      const auto code_of = [](auto&& f) -> std::error_code {
        try {
          f();
        } catch (const std::future_error& error) {
          return error.code();
        }
        return {};
      };
      constexpr auto satisfied = std::future_errc::promise_already_satisfied;
      EXPECT_EQ(code_of([&] { from.set_value(2); }), satisfied);
      EXPECT_EQ(code_of([&] { from.set_value_at_thread_exit(2); }), satisfied);
      EXPECT_EQ(code_of([&] { from.set_exception_at_thread_exit({}); }), satisfied);
      promise<int> moved = std::move(from);
      EXPECT_EQ(code_of([&] { from.set_value_at_thread_exit(2); }), std::future_errc::no_state);
    }).join();
    EXPECT_EQ(to.get(), 1);
  });
}

TEST_P(at_exit, a_copy_that_throws_has_stored_nothing) {
  struct fragile {
    fragile() = default;
    fragile(const fragile&) { throw std::runtime_error("copied"); }
    fragile(fragile&&) noexcept = default;
  };
  rt.run([] {
    promise<fragile> from;
    auto to = from.get_future();
    fiber([&] {
      const fragile value;
      EXPECT_THROW(from.set_value_at_thread_exit(value), std::runtime_error);
    }).join();
    EXPECT_FALSE(is_ready(to));
    from.set_value(fragile());
    EXPECT_NO_THROW(to.get());
  });
}

// The last one to hold the value is the end of the fiber, and its destructor uses a local again.
TEST_P(at_exit, a_value_that_nobody_takes_goes_there) {
  rt.run([] {
    static fiber_local<std::shared_ptr<int>> local;
    struct uses_local {
      explicit uses_local(std::shared_ptr<int> use) : with(std::move(use)) {}
      uses_local(uses_local&&) noexcept = default;
      ~uses_local() {
        if (with) *local = std::move(with);
      }
      std::shared_ptr<int> with;
    };
    const auto counted = std::make_shared<int>(1);
    fiber([&] { promise<uses_local>().set_value_at_thread_exit(uses_local(counted)); }).join();
    EXPECT_EQ(counted.use_count(), 1);
  });
}

TEST_P(at_exit, packaged_tasks) {
  rt.run([] {
    packaged_task half([](int n) {
      if (n % 2 != 0) throw std::invalid_argument("odd");
      return n / 2;
    });
    static_assert(std::is_same_v<decltype(half), packaged_task<int(int)>>);
    auto first = half.get_future();
    future<int> second;
    fiber([&] {
      half.make_ready_at_thread_exit(8);
      half.reset();
      second = half.get_future();
      half.make_ready_at_thread_exit(7);
      EXPECT_THROW(half(2), std::future_error);
      this_fiber::yield();
      EXPECT_FALSE(is_ready(first));
      EXPECT_FALSE(is_ready(second));
    }).join();
    EXPECT_EQ(first.get(), 4);
    EXPECT_THROW(second.get(), std::invalid_argument);
  });
}

TEST_P(at_exit, a_coroutine_that_waits_goes_on) {
  rt.run([] {
    promise<int> from;
    const auto adds = [](future<int> f) -> task<int> { co_return 1 + co_await std::move(f); };
    auto sum = adds(from.get_future());
    fiber sets([&] {
      this_fiber::yield();
      from.set_value_at_thread_exit(4);
    });
    EXPECT_EQ(await(std::move(sum)), 5);
  });
}

using at_exit_death = faults_in_a_child;

// What is added by the last destructors of all counts, too.
struct promises_at_its_end {
  std::shared_ptr<promise<int>> to;
  explicit promises_at_its_end(std::shared_ptr<promise<int>> p = {}) noexcept : to(std::move(p)) {}
  promises_at_its_end(promises_at_its_end&&) noexcept = default;
  ~promises_at_its_end() {
    if (to) to->set_value_at_thread_exit(1);
  }
};
TEST_P(at_exit, of_a_value_that_was_handed_down) {
  rt.run([] {
    inherited_local<promises_at_its_end> handed_down;
    const auto from = std::make_shared<promise<int>>();
    future<int> result = from->get_future();
    fiber([&] { handed_down.set(promises_at_its_end(from)); }).join();
    EXPECT_EQ(result.wait_for(10s), future_status::ready);
    const auto on_thread = std::make_shared<promise<int>>();
    result = on_thread->get_future();
    std::thread([&] { handed_down.set(promises_at_its_end(on_thread)); }).join();
    EXPECT_EQ(result.wait_for(10s), future_status::ready);
  });
}

// exit() ends the thread that calls it: a static's destructor waits for what main has promised.
struct waits_at_exit {
  future<int> result;
  ~waits_at_exit() {
    if (!result.valid()) return;
    std::quick_exit(result.wait_for(10s) == future_status::ready ? result.get() : 99);
  }
};
TEST_F(at_exit_death, exit_ends_the_thread_that_calls_it) {
  static waits_at_exit waits;
  EXPECT_EXIT(
      {
        promise<int> from;
        waits.result = from.get_future();
        from.set_value_at_thread_exit(17);
        std::exit(1);
      },
      testing::ExitedWithCode(17), "");
}
// The child goes on as a plain thread, whose end it is.
TEST_F(at_exit_death, of_a_fiber_that_has_become_a_childs_thread) {
  if (forked_with_locks_held) GTEST_SKIP() << "gcc 12's AddressSanitizer; see sanitizer.hpp";
  static waits_at_exit waits;
  EXPECT_EXIT(run([] {
                packaged_task<int()> forks([] {
                  if (const pid_t child = ::fork()) ::_exit(status_of(child));
                  return 17;
                });
                waits.result = forks.get_future();
                forks.make_ready_at_thread_exit();
                if (waits.result.wait_for(0s) == future_status::ready) ::_exit(98);
                std::exit(1);
              }),
              testing::ExitedWithCode(17), "");
}
}  // namespace
}  // namespace weft::test
