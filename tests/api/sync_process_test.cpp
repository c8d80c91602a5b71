// Synchronisation objects in a forked child, at the end of the process, and with no runtime at all.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>

#include "support/chaotic.hpp"
#include "support/fibers.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/threads.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using testing::ExitedWithCode;

class sync_process : public testing::Test {
 protected:
  sync_process() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

mutex left_locked;
condition_variable left_waiting;
condition_variable_any left_waiting_any;
event left_unset;
counting_semaphore<> left_empty(0);
shared_mutex left_shared;

// Destructors of statics do not complain of those who wait when the process exits.
TEST_F(sync_process, exits_with_threads_and_fibers_that_wait) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        static std::atomic<int> waiting{0};
        const auto wait_at = [](int i) {
          ++waiting;
          mutex own;
          std::unique_lock lock(own);
          if (i == 0) left_waiting.wait(lock);
          if (i == 1) left_waiting_any.wait(lock);
          if (i == 2) left_unset.wait();
          if (i == 3) left_empty.acquire();
          if (i == 4) left_locked.lock();
          if (i == 5) left_shared.lock();
        };
        left_locked.lock();
        left_shared.lock_shared();
        for (int i = 0; i < 6; ++i) {
          std::thread(wait_at, i).detach();
          fiber(wait_at, i).detach();
        }
        until([] { return waiting == 12; });
        std::this_thread::sleep_for(20ms);
        std::exit(3);
      },
      ExitedWithCode(3), "^$");
}

// A child unlocks what the forking fiber had locked, and goes on with it, though others waited.
TEST_F(sync_process, a_forked_child_passes_over_the_parents_waiters) {
  if (forked_with_locks_held) GTEST_SKIP() << "gcc 12's AddressSanitizer; see sanitizer.hpp";
  for (const unsigned workers : {1u, 2u}) {
    runtime rt({.workers = workers});
    mutex guard;
    condition_variable changed;
    counting_semaphore<> units(0);
    event flag;
    bool ready = false;
    std::thread thread;
    std::atomic<pid_t> waits{0};
    const int status = rt.run([&] {
      std::unique_lock lock(guard);
      fiber a([&] { const std::lock_guard mine(guard); });
      fiber b([&] { units.acquire(); });
      fiber c([&] { flag.wait(); });
      until_parked(rt, 3);
      thread = std::thread([&] {
        waits = ::gettid();
        std::unique_lock mine(guard);
        changed.wait(mine, [&] { return ready; });
      });
      until([&] { return waits != 0 && is_asleep(waits); });
      const pid_t child = ::fork();
      if (child == 0) {
        ::alarm(25);  // for a machine that is busy with other things
        lock.unlock();
        if (!guard.try_lock()) ::_exit(10);
        guard.unlock();
        guard.lock();
        changed.notify_all();
        guard.unlock();
        units.release();  // goes to nobody, so it stays
        if (!units.try_acquire()) ::_exit(11);
        flag.set();
        flag.wait();
        // Threads of the child's own wait for one another as ever.
        std::thread own([&] {
          std::unique_lock mine(guard);
          ready = true;
          changed.notify_one();
        });
        {
          std::unique_lock mine(guard);
          changed.wait(mine, [&] { return ready; });
        }
        own.join();
        ::_exit(7);
      }
      const int result = blocking([child] { return status_of(child); });
      {
        ready = true;
        changed.notify_all();
      }
      lock.unlock();
      changed.notify_all();
      units.release();
      flag.set();
      a.join();
      b.join();
      c.join();
      return result;
    });
    {
      const std::lock_guard lock(guard);
      changed.notify_all();
    }
    thread.join();
    EXPECT_EQ(status, 7);
  }
}

// A lock of the table was held by another thread when the process was copied.
TEST_F(sync_process, a_forked_child_finds_no_queue_locked) {
  if (forked_with_locks_held) GTEST_SKIP() << "gcc 12's AddressSanitizer; see sanitizer.hpp";
  event warm_up;
  EXPECT_FALSE(warm_up.wait_for(1us));  // from here on forks are noted
  std::vector<event> many(1000);        // all locks of the table
  const std::jthread other([&](std::stop_token stop) {
    condition_variable_any changed[64];
    while (!stop.stop_requested()) {
      for (auto& each : changed) each.notify_all();
    }
  });
  for (int i = 0; i < times(50); ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(25);  // rather than to hang for ever
      for (event& each : many) static_cast<void>(each.wait_for(1ns));
      ::_exit(7);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "fork " << i << ": the child hung";
    ASSERT_EQ(WEXITSTATUS(status), 7);
  }
}

// In a process that has never made a runtime.
TEST_F(sync_process, work_without_any_runtime) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        mutex guard;
        condition_variable changed;
        counting_semaphore<> units(0);
        latch done(4);
        barrier<> step(4);
        event begin;
        once_flag once;
        int count = 0;
        int calls = 0;
        std::vector<std::thread> all;
        for (int i = 0; i < 4; ++i) {
          all.emplace_back([&] {
            begin.wait();
            for (int k = 0; k < 1000; ++k) {
              const std::lock_guard lock(guard);
              ++count;
            }
            call_once(once, [&] { ++calls; });
            step.arrive_and_wait();
            units.release();
            done.count_down();
            std::unique_lock lock(guard);
            changed.wait(lock, [&] { return count == 0; });
          });
        }
        begin.set();
        done.wait();
        for (int i = 0; i < 4; ++i) units.acquire();
        {
          const std::lock_guard lock(guard);
          if (count != 4000 || calls != 1) std::exit(1);
          count = 0;
        }
        changed.notify_all();
        for (auto& each : all) each.join();
        std::exit(5);
      },
      ExitedWithCode(5), "^$");
}
}  // namespace
}  // namespace weft::test
