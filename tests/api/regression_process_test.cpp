// Faults at exit and after fork that were found and fixed once. Each runs in a child process with
// an alarm, because what they did wrong was to wait for ever.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "support/descriptors.hpp"
#include "support/process.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using testing::ExitedWithCode;

class regression_process : public testing::Test {
 protected:
  regression_process() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// A static handle made before the default runtime is destroyed after that was frozen.
TEST_F(regression_process, a_static_handle_of_a_fiber_that_runs_at_exit) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        static fiber held;
        fiber sleeper([] { this_fiber::sleep_for(1h); });
        held.swap(sleeper);
        std::exit(3);
      },
      ExitedWithCode(3), "");
}

TEST_F(regression_process, a_static_handle_of_a_fiber_that_has_ended) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        static fiber held;
        bool ran = false;
        fiber quick([&] { ran = true; });
        held.swap(quick);
        run([] {});
        std::exit(4);
      },
      ExitedWithCode(4), "");
}

// The child's one thread must not become a fiber again when it leaves blocking(): it would run the
// parent's fibers a second time.
TEST_F(regression_process, fork_inside_blocking) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        runtime rt({.workers = 1});
        const int result = rt.run([] {
          const pid_t parent = ::getpid();
          fiber other([parent] {
            this_fiber::yield();
            if (::getpid() != parent) ::_exit(100);
          });
          const pid_t child = blocking([] { return ::fork(); });
          if (child == 0) {
            ::alarm(10);
            if (this_fiber::get_id() != fiber::id()) ::_exit(101);
            this_fiber::yield();
            this_fiber::sleep_for(1ms);
            ::_exit(7);
          }
          const int status = blocking([child] { return status_of(child); });
          other.join();
          return status;
        });
        std::exit(result);
      },
      ExitedWithCode(7), "");
}

// Handles, runtimes and pins of the parent are destroyed in a child that returns from main.
TEST_F(regression_process, a_handle_is_destroyed_in_a_forked_child) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        runtime rt({.workers = 2});
        pid_t child;
        {
          fiber sleeper(on(rt), [] { this_fiber::sleep_for(1h); });
          until_parked(rt, 1);
          child = ::fork();
          if (child == 0) ::alarm(10);
        }
        if (child == 0) ::_exit(8);
        std::exit(status_of(child));
      },
      ExitedWithCode(8), "");
}

TEST_F(regression_process, a_handle_is_used_in_a_forked_child) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        runtime rt({.workers = 2});
        fiber sleeper(on(rt), [] { this_fiber::sleep_for(1h); });
        const pid_t child = ::fork();
        if (child == 0) {
          ::alarm(10);
          if (sleeper.request_stop()) ::_exit(100);
          if (!thrown_by([&] { sleeper.join(); }).code) ::_exit(101);
          sleeper = fiber();
          ::_exit(9);
        }
        std::exit(status_of(child));
      },
      ExitedWithCode(9), "");
}

TEST_F(regression_process, a_pin_is_destroyed_in_a_forked_child) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        runtime rt({.workers = 1});
        const int result = rt.run([] {
          pid_t child;
          {
            const this_fiber::pin stay;
            child = ::fork();
            if (child == 0) ::alarm(10);
          }
          if (child == 0) ::_exit(10);
          return blocking([child] { return status_of(child); });
        });
        std::exit(result);
      },
      ExitedWithCode(10), "");
}

// The entry of a descriptor may have been locked by a thread that the child does not have.
TEST_F(regression_process, descriptors_are_closed_in_a_forked_child) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        runtime rt({.workers = 2});
        fd_pair p = make_pipe();
        fiber reader(on(rt), [&] {
          char c;
          io::read(p[0], &c, 1);
        });
        until_parked(rt, 1);
        const pid_t child = ::fork();
        if (child == 0) {
          ::alarm(10);
          p.close(0);
          p.close(1);
          ::_exit(11);
        }
        std::exit(status_of(child));
      },
      ExitedWithCode(11), "");
}

TEST_F(regression_process, a_runtime_that_is_ended_inside_blocking_on_its_own_fiber) {
  EXPECT_DEATH(
      {
        ::alarm(20);
        auto rt = std::make_unique<runtime>(runtime_options{.workers = 1});
        rt->run([&] { blocking([&] { rt.reset(); }); });
      },
      "ends its own runtime");
}

// A fiber that spawns while another thread runs exit handlers does nothing wrong: it goes on until
// its next switch. The handler registered first runs last, when the runtime is frozen.
std::atomic<int> exit_stage{0};

TEST_F(regression_process, a_fiber_spawns_while_another_thread_exits) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        std::atexit([] {
          exit_stage = 1;
          while (exit_stage != 2) {
          }
          ::_exit(12);
        });
        static std::atomic<bool> running{false};
        fiber([] {
          running = true;
          while (exit_stage != 1) {
          }
          // With options: the way through make_block, not from the stock.
          fiber(fiber_options{.name = "late"}, [] {}).detach();
          exit_stage = 2;
          for (;;) {
          }
        }).detach();
        until([&] { return running.load(); });
        std::exit(13);
      },
      ExitedWithCode(12), "");
}
}  // namespace
}  // namespace weft::test
