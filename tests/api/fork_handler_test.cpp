// What a program may do in handlers of pthread_atfork, though it registers them before main(); and
// children of a process that has not used weft.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "support/fibers.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/threads.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using testing::ExitedWithCode;

class fork_handlers : public testing::Test {
 protected:
  fork_handlers() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  void SetUp() override {
    if (forked_with_locks_held) GTEST_SKIP() << "gcc 12's AddressSanitizer; see sanitizer.hpp";
  }
};

// What runs before and after a fork, in the parent and in the child.
struct {
  void (*before)() = nullptr;
  void (*parent)() = nullptr;
  void (*child)() = nullptr;
} constinit handlers;

void handle_forks(void (*before)(), void (*parent)(), void (*child)()) {
  handlers = {before, parent, child};
}

// As early as a program can.
[[gnu::constructor(102)]] void register_handlers() {
  const auto before = [] {
    if (handlers.before) handlers.before();
  };
  const auto parent = [] {
    if (handlers.parent) handlers.parent();
  };
  const auto child = [] {
    if (handlers.child) handlers.child();
  };
  if (::pthread_atfork(before, parent, child) != 0) ::_exit(100);
}

constexpr int fork_count = 10;
mutex at_forks;
std::atomic<bool> forking{false};

void lock_at_forks() {
  forking = true;
  at_forks.lock();
}

void unlock_at_forks() {
  at_forks.unlock();
}

void unlock_in_child() {
  ::alarm(10);  // rather than to hang for ever
  at_forks.unlock();
}

// Forks while another thread has the lock, and goes on to have it until the handler waits for it.
int fork_while_it_is_locked() {
  forking = false;
  std::atomic<bool> held{false};
  const pid_t forker = ::gettid();
  const bool on_a_fiber = this_fiber::get_id() != fiber::id();
  std::thread other([&] {
    const std::lock_guard lock(at_forks);
    held = true;
    until([] { return forking.load(); });
    if (on_a_fiber) {
      std::this_thread::sleep_for(1ms);
    } else {
      until([forker] { return is_asleep(forker); });
    }
  });
  until([&] { return held.load(); });
  const pid_t child = ::fork();
  if (child == 0) {
    at_forks.lock();
    at_forks.unlock();
    ::_exit(7);
  }
  return blocking([&] {
    other.join();
    return status_of(child);
  });
}

TEST_F(fork_handlers, that_run_before_may_wait_for_a_lock) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        handle_forks(lock_at_forks, unlock_at_forks, unlock_in_child);
        for (int i = 0; i < fork_count; ++i) {
          if (const int code = fork_while_it_is_locked(); code != 7) std::exit(code);
        }
        std::exit(5);
      },
      ExitedWithCode(5), "^$");
}

// The fiber parks inside fork(), before the process is copied.
TEST_F(fork_handlers, of_a_fiber_may_wait_for_a_lock) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        handle_forks(lock_at_forks, unlock_at_forks, unlock_in_child);
        for (const unsigned workers : {1u, 2u}) {
          runtime rt({.workers = workers});
          rt.run([] {
            const this_fiber::pin stay;  // fork() is not made for a change of threads
            for (int i = 0; i < fork_count; ++i) {
              if (const int code = fork_while_it_is_locked(); code != 7) std::exit(code);
            }
          });
        }
        std::exit(5);
      },
      ExitedWithCode(5), "^$");
}

// In the parent to the waiter, in the child, which has no such thread, to nobody.
TEST_F(fork_handlers, that_run_after_may_unlock_what_others_wait_for) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        handle_forks(nullptr, unlock_at_forks, unlock_in_child);
        for (int i = 0; i < fork_count; ++i) {
          at_forks.lock();
          std::atomic<pid_t> waits{0};
          std::thread other([&] {
            waits = ::gettid();
            const std::lock_guard lock(at_forks);
          });
          until([&] { return waits != 0 && is_asleep(waits); });
          const pid_t child = ::fork();
          if (child == 0) ::_exit(at_forks.try_lock() ? 7 : 8);
          other.join();
          if (const int code = status_of(child); code != 7) std::exit(code);
        }
        std::exit(5);
      },
      ExitedWithCode(5), "^$");
}

TEST_F(fork_handlers, that_run_in_the_child_may_wait) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        handle_forks(nullptr, nullptr, [] {
          ::alarm(10);
          event never_set;
          if (never_set.wait_for(1ms)) ::_exit(8);
          if (!thrown_by([] { fiber([] {}).detach(); }).code) ::_exit(9);
        });
        const runtime rt({.workers = 1});  // the fork is that of a process that uses weft
        int code = 7;
        for (int i = 0; i < fork_count && code == 7; ++i) {
          const pid_t child = ::fork();
          if (child == 0) ::_exit(7);
          code = status_of(child);
        }
        std::exit(code);
      },
      ExitedWithCode(7), "^$");
}

// As servers do: daemon(), or a process for each CPU.
TEST_F(fork_handlers, do_not_end_runtimes_that_begin_in_the_child) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        const pid_t child = ::fork();
        if (child == 0) {
          ::alarm(10);
          std::exit(run([] {
            const pid_t grandchild = ::fork();
            if (grandchild == 0) {
              ::alarm(10);
              ::_exit(thrown_by([] { fiber([] {}).detach(); }).code ? 7 : 8);
            }
            fiber([] { this_fiber::yield(); }).join();
            return blocking([grandchild] { return status_of(grandchild); });
          }));
        }
        std::exit(status_of(child));
      },
      ExitedWithCode(7), "^$");
}
}  // namespace
}  // namespace weft::test
