// The ends of processes, and children of them, with ten thousand fibers alive in every state.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "support/descriptors.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using testing::ExitedWithCode;

class life_many : public testing::Test {
 protected:
  life_many() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

constexpr int many = sanitized ? 500 : 10'000;  // LeakSanitizer looks at each stack at the end

// On the default runtime, for good. Returns when all have begun.
void leave_many_behind() {
  ::alarm(50);
  configure_default({.workers = 2, .stack_size = 16 * 1024});
  static std::atomic<int> begun{0};
  static fd_pair quiet = make_socketpair();
  for (int i = 0; i < many; ++i) {
    fiber([i] {
      ++begun;
      char c;
      switch (i % 5) {
        case 0:
          this_fiber::sleep_for(1h);
          break;
        case 1:
          io::read(quiet[i / 5 % 2], &c, 1);
          break;
        case 2: {
          fiber inner([] { this_fiber::sleep_for(1h); });
          inner.join();
          break;
        }
        case 3:
          io::wait_readable(quiet[0]);
          break;
        default:
          if (i > 50) this_fiber::sleep_for(std::chrono::hours(i));
          for (;;) this_fiber::yield();
      }
    }).detach();
  }
  until([&] { return begun == many; });
}

TEST_F(life_many, exit) {
  EXPECT_EXIT((leave_many_behind(), std::exit(3)), ExitedWithCode(3), "");
}

TEST_F(life_many, exit_from_a_fiber) {
  EXPECT_EXIT((leave_many_behind(), run([] { std::exit(4); })), ExitedWithCode(4), "");
}

TEST_F(life_many, quick_exit) {
  EXPECT_EXIT((leave_many_behind(), std::quick_exit(5)), ExitedWithCode(5), "");
}

TEST_F(life_many, quick_exit_from_a_fiber) {
  EXPECT_EXIT((leave_many_behind(), run([] { std::quick_exit(6); })), ExitedWithCode(6), "");
}

// Runs the test again in a process of its own, where `body` is all of it. The exit code.
int run_again(const char* in_child, const char* test, void (*body)()) {
  if (std::getenv(in_child)) {
    body();
    return 0;
  }
  const ended child =
      shell(in_child + ("=1 " + own_command()) + only(test) + "--gtest_catch_exceptions=0");
  std::fputs(child.output.c_str(), stdout);
  return child.status;
}

TEST_F(life_many, return_from_main) {
  EXPECT_EQ(run_again("WEFT_TEST_LEAVES_MANY", "life_many.return_from_main", leave_many_behind), 0);
}

// The process outlives its main thread: fibers go on, and one of them ends it. In a process that
// catches nothing: pthread_exit unwinds, and gtest would take that for an exception.
TEST_F(life_many, pthread_exit_of_the_main_thread) {
  if (sanitized) GTEST_SKIP() << "LeakSanitizer reports what gtest's main had";
  EXPECT_EQ(run_again("WEFT_TEST_MAIN_LEAVES", "life_many.pthread_exit_of_the_main_thread",
                      [] {
                        leave_many_behind();
                        fiber([] {
                          for (int i = 0; i < 100; ++i) this_fiber::sleep_for(1ms);
                          std::exit(7);
                        }).detach();
                        ::pthread_exit(nullptr);
                      }),
            7);
}

// A kernel thread that has waited for fibers ends by pthread_exit: others go on.
TEST_F(life_many, pthread_exit_of_a_thread_that_has_waited) {
  EXPECT_EXIT(
      {
        leave_many_behind();
        for (int i = 0; i < 20; ++i) {
          pthread_t thread;
          ::pthread_create(
              &thread, nullptr,
              [](void*) -> void* {
                run([] { this_fiber::yield(); });
                ::pthread_exit(nullptr);
              },
              nullptr);
          ::pthread_join(thread, nullptr);
        }
        std::exit(run([] { return 8; }));
      },
      ExitedWithCode(8), "");
}

TEST_F(life_many, fork_and_exec) {
  EXPECT_EXIT(
      {
        leave_many_behind();
        std::exit(run([] {
          int good = 0;
          for (int i = 0; i < 10; ++i) {
            const pid_t child = ::fork();
            if (child == 0) {
              ::execl("/bin/sh", "sh", "-c", "exit 9", nullptr);
              ::_exit(127);
            }
            good += blocking([&] { return status_of(child); }) == 9;
            this_fiber::yield();
          }
          return good;
        }));
      },
      ExitedWithCode(10), "");
}

TEST_F(life_many, system_and_popen) {
  EXPECT_EXIT(
      {
        leave_many_behind();
        std::exit(run([] {
          int good = 0;
          for (int i = 0; i < 5; ++i) {
            good += blocking([] { return std::system("exit 3"); }) == 3 << 8;
            std::FILE* out = ::popen("echo hi", "r");
            char line[10] = {};
            good += out && std::fgets(line, sizeof line, out) && ::pclose(out) == 0;
          }
          return good;
        }));
      },
      ExitedWithCode(10), "");
}

// A child that goes on without exec, and exits: the parent's fibers are not its own.
TEST_F(life_many, a_forked_child_exits) {
  if (sanitized) GTEST_SKIP() << "LeakSanitizer reports what the threads had that fork left behind";
  EXPECT_EXIT(
      {
        leave_many_behind();
        const pid_t child = ::fork();
        if (child == 0) std::exit(11);
        std::exit(status_of(child));
      },
      ExitedWithCode(11), "");
}
}  // namespace
}  // namespace weft::test
