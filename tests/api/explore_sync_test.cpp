// weft::testing::explore sees what synchronisation objects do: it finds the mistakes in programs
// that use them wrongly, and none in those that do not.
#include <gtest/gtest.h>

#include <mutex>
#include <shared_mutex>
#include <weft/testing.hpp>

#include "support/dumps.hpp"
#include "support/explorations.hpp"

namespace weft::test {
using weft::testing::check;
using weft::testing::explore;
using weft::testing::explore_result;
using weft::testing::failure;

namespace {
using namespace std::chrono_literals;

// Two deposits read, and write later.
template <class Lock>
explore_result deposits(Lock make_lock) {
  return explore(
      [&] {
        mutex guard;
        int balance = 0;
        const auto deposit = [&] {
          auto lock = make_lock(guard);
          const int seen = balance;
          testing::point("read");
          balance = seen + 1;
        };
        fiber a(deposit);
        fiber b(deposit);
        a.join();
        b.join();
        check(balance == 2, "a deposit was lost");
      },
      quiet());
}

TEST(explore_sync, a_missing_lock_is_found) {
  const explore_result found =
      deposits([](mutex& guard) { return std::unique_lock(guard, std::defer_lock); });
  EXPECT_EQ(found.kind, failure::check) << found.report;
  EXPECT_TRUE(deposits([](mutex& guard) { return std::unique_lock(guard); }).ok());
}

TEST(explore_sync, locks_taken_in_two_orders_are_found) {
  const auto transfers = [](bool ordered) {
    return explore(
        [ordered] {
          mutex one;
          mutex other;
          fiber a([&] {
            const std::lock_guard first(one);
            const std::lock_guard second(other);
          });
          fiber b([&] {
            const std::lock_guard first(ordered ? one : other);
            const std::lock_guard second(ordered ? other : one);
          });
          a.join();
          b.join();
        },
        quiet());
  };
  const explore_result found = transfers(false);
  ASSERT_EQ(found.kind, failure::deadlock) << found.report;
  EXPECT_TRUE(has(found.message, "fiber 2 parked: mutex #[0-9]+")) << found.message;
  EXPECT_TRUE(has(found.message, "fiber 3 parked: mutex #[0-9]+")) << found.message;
  EXPECT_TRUE(transfers(true).ok());
}

// The flag is looked at without the lock: a notification may come before the wait.
template <class Condition>
void finds_a_lost_notification() {
  const auto wait_for_flag = [](bool with_lock) {
    return explore(
        [with_lock] {
          mutex guard;
          Condition changed;
          bool ready = false;
          fiber waiter([&] {
            std::unique_lock lock(guard);
            while (!ready) changed.wait(lock);
          });
          fiber notifier([&] {
            std::unique_lock lock(guard, std::defer_lock);
            if (with_lock) lock.lock();
            if (!with_lock) {
              changed.notify_one();
              testing::point("notified");  // and only then says why
            }
            ready = true;
            if (with_lock) changed.notify_one();
          });
          waiter.join();
          notifier.join();
        },
        quiet());
  };
  const explore_result found = wait_for_flag(false);
  EXPECT_EQ(found.kind, failure::deadlock) << found.report;
  EXPECT_TRUE(wait_for_flag(true).ok());
}

TEST(explore_sync, a_lost_notification_is_found) {
  finds_a_lost_notification<condition_variable>();
  finds_a_lost_notification<condition_variable_any>();
}

// A buffer of one between two and two: a single condition for both is not enough with notify_one.
TEST(explore_sync, a_notification_of_the_wrong_one_is_found) {
  const auto buffer = [](bool all) {
    return explore(
        [all] {
          mutex guard;
          condition_variable changed;
          bool full = false;
          const auto notify = [&] { all ? changed.notify_all() : changed.notify_one(); };
          const auto put = [&] {
            std::unique_lock lock(guard);
            changed.wait(lock, [&] { return !full; });
            full = true;
            notify();
          };
          const auto take = [&] {
            std::unique_lock lock(guard);
            changed.wait(lock, [&] { return full; });
            full = false;
            notify();
          };
          fiber fibers[] = {fiber(put), fiber(put), fiber(take), fiber(take)};
          for (fiber& each : fibers) each.join();
        },
        quiet(3000));
  };
  EXPECT_EQ(buffer(false).kind, failure::deadlock);
  EXPECT_TRUE(buffer(true).ok());
}

TEST(explore_sync, too_few_units_are_found) {
  const auto dine = [](std::ptrdiff_t seats) {
    return explore(
        [seats] {
          counting_semaphore<> at_table(seats);
          mutex forks[3];
          std::vector<fiber> all;
          for (int i = 0; i < 3; ++i) {
            all.emplace_back([&, i] {
              at_table.acquire();
              {
                const std::lock_guard left(forks[i]);
                const std::lock_guard right(forks[(i + 1) % 3]);
              }
              at_table.release();
            });
          }
          for (fiber& each : all) each.join();
        },
        quiet());
  };
  EXPECT_EQ(dine(3).kind, failure::deadlock);
  EXPECT_TRUE(dine(2).ok());
}

TEST(explore_sync, readers_and_a_writer) {
  const auto look = [](bool locked) {
    return explore(
        [locked] {
          shared_mutex guard;
          int left = 0;
          int right = 0;
          fiber writer([&] {
            const std::lock_guard lock(guard);
            ++left;
            testing::point("half");
            ++right;
          });
          const auto read = [&] {
            std::shared_lock lock(guard, std::defer_lock);
            if (locked) lock.lock();
            const int seen = left;
            testing::point("between");
            check(seen == right, "half a write was seen");
          };
          fiber a(read);
          fiber b(read);
          writer.join();
          a.join();
          b.join();
        },
        quiet());
  };
  EXPECT_EQ(look(false).kind, failure::check);
  EXPECT_TRUE(look(true).ok());
}

TEST(explore_sync, event_latch_barrier_and_once) {
  const explore_result found = explore(
      [] {
        event begin;
        latch done(3);
        int phases = 0;
        barrier step(3, [&]() noexcept { ++phases; });
        once_flag once;
        int calls = 0;
        std::vector<fiber> all;
        for (int i = 0; i < 3; ++i) {
          all.emplace_back([&] {
            begin.wait();
            call_once(once, [&] {
              ++calls;
              testing::point("inside");
            });
            check(calls == 1, "not once");
            for (int k = 1; k <= 2; ++k) {
              step.arrive_and_wait();
              check(phases >= k, "went on before the phase had ended");
            }
            done.count_down();
          });
        }
        check(!done.try_wait(), "done before it has begun");
        begin.set();
        done.wait();
        check(phases == 2 && calls == 1, "not all have come");
        for (fiber& each : all) each.join();
      },
      quiet());
  EXPECT_TRUE(found.ok()) << found.report;
}

// Timeouts are tried against wakes, in virtual time; and stop requests.
TEST(explore_sync, limits_and_stops_against_wakes) {
  testing::explore_options options = quiet(2000);
  options.busy_clock = true;
  int timed_out = 0;
  int woken = 0;
  int stopped = 0;
  const explore_result found = explore(
      [&] {
        counting_semaphore<> units(0);
        timed_mutex guard;
        condition_variable_any changed;
        bool got = false;
        fiber waiter([&] {
          try {
            got = units.try_acquire_for(1s);
            ++(got ? woken : timed_out);
          } catch (const operation_canceled&) {
            ++stopped;
          }
        });
        fiber releaser([&] {
          this_fiber::sleep_for(1s);
          units.release();
        });
        fiber other([&](std::stop_token stop) {
          std::unique_lock lock(guard, 1h);
          changed.wait(lock, stop, [&] { return got; });
        });
        this_fiber::sleep_for(1s);
        waiter.request_stop();
        other.request_stop();
        waiter.join();
        releaser.join();
        other.join();
        check(units.try_acquire() != got, "a unit was lost, or made");
        check(guard.try_lock(), "left locked");
        guard.unlock();
      },
      options);
  EXPECT_TRUE(found.ok()) << found.report;
  EXPECT_GT(timed_out, 0);
  EXPECT_GT(woken, 0);
  EXPECT_GT(stopped, 0);
}
}  // namespace
}  // namespace weft::test
