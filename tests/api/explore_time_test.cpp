// weft::testing::explore: virtual time, and what comes from outside of a run.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>
#include <vector>

#include "support/descriptors.hpp"
#include "support/explorations.hpp"
#include "support/fibers.hpp"

namespace weft::test {
using namespace std::chrono_literals;
using weft::testing::explore;
using weft::testing::explore_options;
using weft::testing::explore_result;
using weft::testing::failure;
using virtual_clock = weft::testing::clock;

TEST(explore_time, a_year_is_over_at_once) {
  const explore_result found = explore(
      [] {
        EXPECT_EQ(virtual_clock::now().time_since_epoch(), 0s);
        this_fiber::sleep_for(24h * 365);
        EXPECT_EQ(virtual_clock::now().time_since_epoch(), 24h * 365);
        this_fiber::sleep_until(virtual_clock::now() + 1ns);
        EXPECT_EQ(virtual_clock::now().time_since_epoch(), 24h * 365 + 1ns);
      },
      quiet(100));
  EXPECT_TRUE(found.ok()) << found.report;
  EXPECT_TRUE(found.deterministic);
  EXPECT_EQ(found.time, 24h * 365 + 1ns);
}

TEST(explore_time, timers_fire_in_order_and_equal_ones_in_any) {
  std::set<std::string> seen;
  explore(
      [&] {
        std::string order;
        std::vector<fiber> all;
        const auto sleeper = [&](char name, std::chrono::milliseconds time) {
          all.emplace_back([&order, name, time] {
            this_fiber::sleep_for(time);
            order += name;
          });
        };
        sleeper('c', 3ms);
        sleeper('x', 2ms);
        sleeper('a', 1ms);
        sleeper('y', 2ms);
        for (fiber& f : all) f.join();
        seen.insert(order);
      },
      200);
  EXPECT_EQ(seen, (std::set<std::string>{"axyc", "ayxc"}));
}

// What one of two equal timers wakes may run before the other one fires: and end its wait.
TEST(explore_time, equal_timers_fire_one_by_one) {
  std::set<bool> seen;
  explore(
      [&] {
        bool slept = false;
        fiber sleeper([&] {
          this_fiber::sleep_for(1ms);
          slept = true;
        });
        this_fiber::sleep_for(1ms);
        sleeper.request_stop();
        sleeper.join();
        seen.insert(slept);
      },
      200);
  EXPECT_EQ(seen.size(), 2u);
}

TEST(explore_time, time_stands_while_fibers_can_run_unless_the_clock_is_busy) {
  const auto timed_out_by_work = [] {
    bool timed_out = false;
    fiber worker([] {
      for (int i = 0; i < 20; ++i) testing::point();
    });
    try {
      const deadline_scope limit(1s);
      worker.join();
    } catch (const deadline_exceeded&) {
      timed_out = true;
    }
    testing::check(!timed_out, "timed out");
  };
  explore_options options = quiet(100);
  EXPECT_TRUE(explore(timed_out_by_work, options).ok());
  options.busy_clock = true;
  EXPECT_EQ(explore(timed_out_by_work, options).kind, failure::check);
}

TEST(explore_time, clocks_of_the_world_work_and_are_told) {
  explore_result found = explore(
      [] {
        this_fiber::sleep_until(std::chrono::steady_clock::now() + 1h);
        EXPECT_GT(virtual_clock::now().time_since_epoch(), 59min);
        EXPECT_LE(virtual_clock::now().time_since_epoch(), 60min);
        this_fiber::sleep_until(std::chrono::steady_clock::now() - 1s);
        this_fiber::sleep_until(std::chrono::steady_clock::time_point::min());
      },
      quiet(3));
  EXPECT_TRUE(found.ok()) << found.report;
  EXPECT_FALSE(found.deterministic);
  found = explore([] { this_fiber::sleep_until(std::chrono::system_clock::now() + 1h); }, quiet(3));
  EXPECT_TRUE(found.ok()) << found.report;
  EXPECT_FALSE(found.deterministic);
}

TEST(explore_time, blocking_runs_in_place) {
  const auto me = ::pthread_self();
  const explore_result found = explore(
      [&] {
        bool other_ran = false;
        fiber other([&] { other_ran = true; });
        weft::blocking([&] {
          const bool before = other_ran;
          EXPECT_TRUE(::pthread_equal(::pthread_self(), me));
          this_fiber::yield();               // a thread's
          this_fiber::sleep_for(24h * 365);  // has a limit: does not hold up the run
          EXPECT_EQ(other_ran, before);
        });
        other.join();
      },
      quiet(100));
  EXPECT_TRUE(found.ok()) << found.report;
  EXPECT_TRUE(found.deterministic);
}

TEST(explore_time_death, waiting_for_a_fiber_inside_blocking_is_told) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(explore(
                   [] {
                     fiber other([] { this_fiber::sleep_for(1s); });
                     weft::blocking([&] { other.join(); });
                   },
                   1),
               "inside weft::blocking\\(\\) waits for a fiber");
}

TEST(explore_time, descriptors_work_and_are_told) {
  explore_options options = quiet(20);
  const explore_result found = explore(
      [] {
        const fd_pair ends = make_socketpair();
        fiber echo([&] {
          char c = 0;
          while (io::read(ends[1], &c, 1) == 1) io::write(ends[1], &c, 1);
        });
        for (char c = 'a'; c < 'f'; ++c) {
          EXPECT_EQ(io::write(ends[0], &c, 1), 1);
          char back = 0;
          EXPECT_EQ(io::read(ends[0], &back, 1), 1);
          EXPECT_EQ(back, c);
        }
      },
      options);
  EXPECT_TRUE(found.ok()) << found.report;
  EXPECT_FALSE(found.deterministic);
  options.io_wait = 5ms;
  const explore_result stuck = explore(
      [] {
        const fd_pair ends = make_socketpair();
        char c = 0;
        io::read(ends[0], &c, 1);
      },
      options);
  ASSERT_EQ(stuck.kind, failure::deadlock) << stuck.report;
  EXPECT_NE(stuck.message.find("to be readable"), std::string::npos) << stuck.message;
  EXPECT_EQ(stuck.abandoned, 0u);  // the read ends with ECANCELED
}

TEST(explore_time, a_descriptor_is_waited_for_before_a_timeout) {
  const explore_result found = explore(
      [] {
        const fd_pair ends = make_socketpair();
        std::thread peer([&] {
          std::this_thread::sleep_for(2ms);
          EXPECT_EQ(::write(ends[1], "x", 1), 1);
        });
        EXPECT_TRUE(io::wait_readable(ends[0], 1h));
        peer.join();
      },
      [] {
        explore_options options = quiet(3);
        options.io_wait = 10s;
        return options;
      }());
  EXPECT_TRUE(found.ok()) << found.report;
}

TEST(explore_time, poll_waits_for_the_world_too) {
  const explore_result found = explore(
      [] {
        const fd_pair ends = make_socketpair();
        std::thread peer([&] {
          std::this_thread::sleep_for(2ms);
          EXPECT_EQ(::write(ends[1], "x", 1), 1);
        });
        pollfd one{.fd = ends[0], .events = POLLIN, .revents = 0};
        EXPECT_EQ(io::poll(&one, 1, -1), 1);
        peer.join();
      },
      [] {
        explore_options options = quiet(3);
        options.io_wait = 10s;
        return options;
      }());
  EXPECT_TRUE(found.ok()) << found.report;
  EXPECT_FALSE(found.deterministic);
}

TEST(explore_time, is_real_again_in_a_forked_child) {
  const explore_result found = explore(
      [] {
        const pid_t child = ::fork();
        if (child == 0) {
          const auto before = std::chrono::steady_clock::now();
          this_fiber::sleep_for(20ms);
          ::_exit(std::chrono::steady_clock::now() - before < 20ms || testing::exploring());
        }
        int status = 1;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
      },
      quiet(1));
  EXPECT_TRUE(found.ok()) << found.report;
}

TEST(explore_time, a_wake_by_another_thread_is_told) {
  const explore_result found = explore(
      [] {
        bool stopped = false;
        fiber sleeper([&] {
          try {
            this_fiber::sleep_for(1h);
          } catch (const operation_canceled&) {
            stopped = true;
            throw;
          }
        });
        this_fiber::yield();
        std::thread([&] { sleeper.request_stop(); }).join();
        sleeper.join();
      },
      quiet(100));
  EXPECT_TRUE(found.ok()) << found.report;
  EXPECT_FALSE(found.deterministic);
}
}  // namespace weft::test
