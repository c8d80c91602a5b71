// notify_all_at_thread_exit: who waits for the ends of others destroys what they used.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>
#include <weft/blocking.hpp>
#include <weft/condition_variable.hpp>
#include <weft/future.hpp>
#include <weft/local.hpp>
#include <weft/scope.hpp>

#include "support/death.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
class notified_at_exit : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, notified_at_exit, testing::Values(1, 2, 4));

// Whoever has seen the last one gone destroys what they used.
template <class Thread, class Start>
void last_one_out(Start start) {
  for (int round = 0; round < 50; ++round) {
    auto guard = std::make_unique<mutex>();
    auto all_gone = std::make_unique<condition_variable>();
    int left = 8;
    std::vector<Thread> many;
    for (int i = left; i > 0; --i) {
      many.push_back(start([&guard, &all_gone, &left] {
        std::unique_lock lock(*guard);
        --left;
        notify_all_at_thread_exit(*all_gone, std::move(lock));
      }));
    }
    {
      std::unique_lock lock(*guard);
      all_gone->wait(lock, [&] { return left == 0; });
    }
    all_gone.reset();
    guard.reset();
    for (auto& each : many) each.join();
  }
}

TEST_P(notified_at_exit, notifies_who_waits_for_the_last_fiber) {
  rt.run([] { last_one_out<fiber>([](auto f) { return fiber(std::move(f)); }); });
}
TEST_P(notified_at_exit, notifies_who_waits_for_the_last_thread) {
  rt.run([] { last_one_out<std::thread>([](auto f) { return std::thread(std::move(f)); }); });
}

TEST_P(notified_at_exit, the_lock_is_held_until_then) {
  rt.run([] {
    mutex guard;
    condition_variable gone;
    event go;
    fiber ends([&] {
      notify_all_at_thread_exit(gone, std::unique_lock(guard));
      go.wait();
    });
    until([&] {
      if (!guard.try_lock()) return true;
      guard.unlock();
      return false;
    });
    go.set();
    ends.join();
    EXPECT_TRUE(std::unique_lock(guard, std::try_to_lock).owns_lock());
  });
}

// The thread has locked it, and the fiber's end unlocks it.
TEST_P(notified_at_exit, inside_blocking_it_is_the_fibers_end) {
  rt.run([] {
    mutex guard;
    condition_variable all_gone;
    bool gone = false;
    event go;
    fiber ends([&] {
      blocking([&] {
        std::unique_lock lock(guard);
        gone = true;
        notify_all_at_thread_exit(all_gone, std::move(lock));
      });
      go.wait();
    });
    fiber waits([&] {
      std::unique_lock lock(guard);
      all_gone.wait(lock, [&] { return gone; });
    });
    until([&] {
      if (!guard.try_lock()) return true;
      guard.unlock();
      return false;
    });
    blocking([&] { EXPECT_FALSE(guard.try_lock()); });
    go.set();
    waits.join();
    ends.join();
    EXPECT_TRUE(guard.try_lock());
    guard.unlock();
  });
}

using notified_at_exit_death = faults_in_a_child;

TEST_F(notified_at_exit_death, a_notification_without_the_lock) {
  EXPECT_DEATH(
      {
        mutex guard;
        condition_variable gone;
        notify_all_at_thread_exit(gone, std::unique_lock(guard, std::defer_lock));
      },
      "weft::condition_variable at 0x[0-9a-f]+: this kernel thread asks for a notification at its "
      "end without owning the lock");
}
struct leaves_late {
  ~leaves_late() { this_fiber::sleep_for(std::chrono::milliseconds(5)); }
};
fiber_local<leaves_late> leaving;

// Who joins a scope destroys what its fibers used, too.
TEST_P(notified_at_exit, before_the_join_of_a_scope_returns) {
  rt.run([] {
    mutex guard;
    condition_variable gone;
    promise<int> sets;
    future<int> set = sets.get_future();
    scope all;
    all.spawn([&] {
      *leaving;
      notify_all_at_thread_exit(gone, std::unique_lock(guard));
      sets.set_value_at_thread_exit(1);
    });
    all.join();
    EXPECT_EQ(set.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_TRUE(std::unique_lock(guard, std::try_to_lock).owns_lock());
  });
}

// Destructors of locals may spawn in the scope that their fiber is of: it is not left before.
TEST_P(notified_at_exit, a_local_of_a_scopes_fiber_spawns_in_the_scope) {
  rt.run([] {
    struct spawns {
      std::function<void()> at_end;
      ~spawns() {
        if (at_end) at_end();
      }
    };
    fiber_local<spawns> last;
    std::atomic<int> ran{0};
    scope all;
    for (int i = 0; i < 8; ++i) {
      all.spawn([&] {
        last->at_end = [&] {
          this_fiber::yield();
          all.spawn([&] { ++ran; });
        };
      });
    }
    all.join();
    EXPECT_EQ(ran, 8);
  });
}
}  // namespace
}  // namespace weft::test
