// Scopes, futures and coroutines whose ends come from an unusual side: from a fiber of their own,
// at exit, in a forked child, with nobody left who wants the result.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <thread>
#include <weft/coroutine.hpp>
#include <weft/scope.hpp>
#include <weft/supervisor.hpp>
#include <weft/when.hpp>

#include "support/death.hpp"
#include "support/fibers.hpp"
#include "support/held_coroutine.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using testing::ExitedWithCode;

class task_ends : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, task_ends, testing::Values(1, 2, 4));

// The last reference to an async function's state is then its own fiber's, as it ends.
TEST_P(task_ends, a_when_all_of_async_functions_that_nobody_wants) {
  std::atomic<int> ran{0};
  rt.run([&] {
    for (int i = 0; i < 50; ++i) {
      const auto one = [&ran] {
        this_fiber::yield();
        ++ran;
      };
      static_cast<void>(when_all(async(one), async(one)));
      static_cast<void>(when_any(async(one), async(one)));
    }
    until([&] { return ran == 200; });
  });
  until([&] { return rt.stats().fibers_alive == 0; });
}

TEST_P(task_ends, whoever_finds_it_ready_may_destroy_future_and_promise) {
  for (int i = 0; i < 1000; ++i) {
    auto from = std::make_unique<promise<int>>();
    auto to = from->get_future();
    fiber sets(on(rt), [&from = *from] { from.set_value(1); });
    while (to.wait_for(0s) != std::future_status::ready) std::this_thread::yield();
    from.reset();
    to = {};
    // Takes the place of the state, with what would be no queue.
    const auto other = std::make_unique<std::array<std::uint64_t, 8>>();
    other->fill(0x5a5a5a5a5a5a5a5a);
  }
}

struct tells_late {
  explicit tells_late(std::atomic<bool>& gone) : gone_(&gone) {}
  tells_late(tells_late&& other) noexcept : gone_(std::exchange(other.gone_, nullptr)) {}
  ~tells_late() {
    if (!gone_) return;
    std::this_thread::sleep_for(5ms);
    *gone_ = true;
  }
  std::atomic<bool>* gone_;
};
task<int> takes(tells_late /*mine*/, future<int> f) {
  co_return co_await std::move(f);
}

TEST_P(task_ends, a_coroutines_frame_is_gone_when_await_returns) {
  for (int i = 0; i < 10; ++i) {
    std::atomic<bool> gone{false};
    promise<int> from;
    fiber sets(on(rt), [&] {
      this_fiber::sleep_for(1ms);
      from.set_value(i);
    });
    EXPECT_EQ(await(takes(tells_late(gone), from.get_future())), i);
    ASSERT_TRUE(gone);
  }
}

held_coroutine waits_for(event& e, int& resumed) {
  co_await e;
  ++resumed;
}

TEST_P(task_ends, a_coroutine_may_be_destroyed_while_it_waits) {
  rt.run([] {
    event e;
    int resumed = 0;
    for (int i = 0; i < 20; ++i) waits_for(e, resumed).frame.destroy();
    const held_coroutine other = waits_for(e, resumed);
    e.set();
    until([&] { return other.frame.done(); });
    EXPECT_EQ(resumed, 1);
    other.frame.destroy();
  });
  until([&] { return rt.stats().fibers_alive == 0; });  // those that would have resumed them end
}

TEST_P(task_ends, a_task_is_awaited_once) {
  rt.run([] {
    const auto seven = []() -> task<int> { co_return 7; };
    task<int> once = seven();
    EXPECT_EQ(await(std::move(once)), 7);
    EXPECT_THROW(await(std::move(once)), std::future_error);
    task<int> twice = seven();
    const auto both = [](task<int>& t) -> task<int> {
      const int n = co_await std::move(t);
      co_return n + co_await std::move(t);
    };
    EXPECT_THROW(await(both(twice)), std::future_error);
  });
}

TEST_P(task_ends, handlers_that_start_actors_while_the_supervisor_goes) {
  rt.run([] {
    for (int i = 0; i < 30; ++i) {
      supervisor keeper;
      for (int n = 0; n < 4; ++n) {
        auto& parent = keeper.start<int>([&keeper] {
          return [&keeper](int) {
            until([&] { return keeper.stop_requested(); });
            for (int k = 0; k < 10; ++k) keeper.start<int>([] { return [](int) {}; });
          };
        });
        parent.send(1);
      }
      this_fiber::yield();
    }
  });
}

TEST_P(task_ends, an_others_cancellation_is_a_failure_like_any_other) {
  rt.run([] {
    supervisor keeper({.restarts = std::numeric_limits<unsigned>::max()});
    std::atomic<int> handled{0};
    auto& one = keeper.start<int>([&handled] {
      return [&handled](int) {
        ++handled;
        throw operation_canceled();  // as a future's get() may
      };
    });
    for (int i = 0; i < 3; ++i) one.send(i);
    until([&] { return handled == 3; });
    keeper.stop();
    keeper.join();
    EXPECT_EQ(keeper.restarts(), 3u);
  });
}

using task_death = faults_in_a_child;

TEST_F(task_death, a_fiber_joins_its_own_scope) {
  EXPECT_DEATH(weft::run([] {
                 ::alarm(20);
                 scope all;
                 all.spawn([&] { all.join(); });
                 this_fiber::sleep_for(1h);
               }),
               "weft::scope at 0x[0-9a-f]+: fiber [0-9]+ of it joins or destroys it, and would "
               "wait for its own end");
}

TEST_F(task_death, an_actor_is_destroyed_by_its_handler) {
  EXPECT_DEATH(weft::run([] {
                 ::alarm(20);
                 std::optional<actor<int>> self;
                 self.emplace([&](int) { self.reset(); });
                 self->send(1);
                 this_fiber::sleep_for(1h);
               }),
               "would wait for its own end");
}

TEST_F(task_death, an_async_function_destroys_its_future) {
  EXPECT_DEATH(weft::run([] {
                 ::alarm(20);
                 event begin;
                 future<void> own;
                 own = async([&] {
                   begin.wait();
                   own = {};
                 });
                 begin.set();
                 this_fiber::sleep_for(1h);
               }),
               "weft::future: fiber [0-9]+ destroys the future of itself");
}

TEST_F(task_death, an_exception_pointer_with_nothing_in_it) {
  EXPECT_DEATH(promise<int>().set_exception(nullptr), "there is no exception in the pointer");
}

// Statics made before the default runtime are destroyed after that was frozen.
TEST_F(task_death, static_scopes_and_futures_of_fibers_that_run_at_exit) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        static scope all;
        static future<void> later;
        all.spawn([] { this_fiber::sleep_for(1h); });
        later = async([] { this_fiber::sleep_for(1h); });
        std::exit(3);
      },
      ExitedWithCode(3), "");
}

TEST_F(task_death, scopes_and_futures_in_a_forked_child) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        runtime rt({.workers = 2});
        pid_t child = 0;
        {
          scope all;
          all.spawn(on(rt), [] { this_fiber::sleep_for(1h); });
          future<void> later = rt.run([] { return async([] { this_fiber::sleep_for(20ms); }); });
          child = ::fork();
          if (child == 0) {
            ::alarm(10);
            if (all.request_stop()) ::_exit(100);
            if (!thrown_by([&] { all.join(); }).code) ::_exit(101);
          }
        }
        if (child == 0) ::_exit(4);
        std::exit(status_of(child));
      },
      ExitedWithCode(4), "");
}
}  // namespace
}  // namespace weft::test
