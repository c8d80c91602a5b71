// The ends of processes: exit with live fibers, return from main, fork, exec.
// Each runs in a child process.
#include <gtest/gtest.h>
#include <sys/wait.h>
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

class life : public testing::Test {
 protected:
  life() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// Fibers of the default runtime in every state: parked, ready, computing,
// blocked in the kernel.
void leave_fibers_behind() {
  fiber([] { this_fiber::sleep_for(1h); }).detach();
  fiber([] {
    fd_pair p = make_pipe();
    char c;
    io::read(p[0], &c, 1);
  }).detach();
  fiber([] {
    for (;;) this_fiber::yield();
  }).detach();
  fiber([] { blocking([] { std::this_thread::sleep_for(1h); }); }).detach();
  fiber([] {
    fiber inner([] { this_fiber::sleep_for(1h); });
    inner.join();
  }).detach();
}

TEST_F(life, exit_from_main_with_live_fibers) {
  EXPECT_EXIT(
      {
        leave_fibers_behind();
        std::exit(3);
      },
      ExitedWithCode(3), "");
}

TEST_F(life, exit_from_a_fiber) {
  EXPECT_EXIT(
      {
        leave_fibers_behind();
        fiber([] {
          this_fiber::yield();
          std::exit(4);
        }).join();
      },
      ExitedWithCode(4), "");
}

TEST_F(life, exit_from_a_fiber_of_a_runtime_on_the_stack) {
  EXPECT_EXIT(
      {
        runtime rt({.workers = 2});
        fiber sleeper(on(rt), [] { this_fiber::sleep_for(1h); });
        rt.run([] { std::exit(5); });
      },
      ExitedWithCode(5), "");
}

TEST_F(life, exit_while_a_fiber_computes_without_end) {
  EXPECT_EXIT(
      {
        std::atomic<bool> running{false};
        fiber([&] {
          running = true;
          for (std::atomic<int> i = 0;; ++i) {
          }
        }).detach();
        while (!running) std::this_thread::yield();
        std::exit(6);
      },
      ExitedWithCode(6), "");
}

TEST_F(life, exit_inside_blocking) {
  EXPECT_EXIT(
      {
        leave_fibers_behind();
        run([] { blocking([] { std::exit(7); }); });
      },
      ExitedWithCode(7), "");
}

TEST_F(life, quick_exit_and_underscore_exit) {
  EXPECT_EXIT(
      {
        leave_fibers_behind();
        std::quick_exit(8);
      },
      ExitedWithCode(8), "");
  EXPECT_EXIT(
      {
        leave_fibers_behind();
        run([] { ::_exit(9); });
      },
      ExitedWithCode(9), "");
}

// What a static's destructor finds at exit: the default runtime is frozen,
// primitives and calls that need no fiber still work.
struct late {
  ~late() {
    char c = 0;
    int ends[2];
    io::pipe(ends);
    io::write(ends[1], "x", 1);
    const bool works = io::read(ends[0], &c, 1) == 1 && c == 'x';
    this_fiber::sleep_for(1ms);
    std::fprintf(stderr, works ? "late but fine\n" : "broken\n");
  }
};

TEST_F(life, destructors_of_statics_may_use_plain_calls) {
  EXPECT_EXIT(
      {
        static const late one;
        leave_fibers_behind();
        std::exit(0);
      },
      ExitedWithCode(0), "late but fine");
}

// The child runs this very test, and its main returns with the fibers alive.
TEST_F(life, return_from_main_with_live_fibers) {
  constexpr const char* in_child = "WEFT_TEST_LEAVES_FIBERS";
  if (std::getenv(in_child)) return leave_fibers_behind();
  const ended child =
      shell(in_child + ("=1 " + own_command()) + only("life.return_from_main_with_live_fibers"));
  EXPECT_EQ(child.status, 0) << child.output;
}

TEST_F(life, fork_and_exec_in_a_fiber) {
  runtime rt({.workers = 2});
  rt.run([] {
    fd_pair p = make_pipe();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::dup2(p[1], 1);
      ::execl("/bin/echo", "echo", "from a child", nullptr);
      ::_exit(127);
    }
    p.close(1);
    EXPECT_EQ(read_to_end(p[0]), "from a child\n");
    int status = 0;
    EXPECT_EQ(blocking([&] { return ::waitpid(child, &status, 0); }), child);
    EXPECT_EQ(status, 0);
  });
}

TEST_F(life, system_and_popen_in_a_fiber) {
  runtime rt({.workers = 2});
  rt.run([] {
    EXPECT_EQ(blocking([] { return std::system("exit 3"); }), 3 << 8);
    std::FILE* out = ::popen("echo hi", "r");
    ASSERT_NE(out, nullptr);
    char line[10] = {};
    EXPECT_NE(std::fgets(line, sizeof line, out), nullptr);
    EXPECT_STREQ(line, "hi\n");
    EXPECT_EQ(::pclose(out), 0);
  });
}

// In a forked child: spawning throws, io makes plain calls, exit works. Bits of
// what failed.
int check_forked_child(const runtime* rt) {
  int failed = 0;
  if (!thrown_by([] { fiber f([] {}); }).code) failed |= 1;
  if (!thrown_by([] { run([] {}); }).code) failed |= 2;
  int ends[2];
  char c = 0;
  if (io::pipe(ends) != 0 || io::write(ends[1], "x", 1) != 1 || io::read(ends[0], &c, 1) != 1) {
    failed |= 4;
  }
  if (io::wait_readable(ends[0], 1ms) || errno != ETIMEDOUT) failed |= 8;
  this_fiber::sleep_for(1ms);
  this_fiber::yield();
  if (this_fiber::get_id() != fiber::id()) failed |= 16;
  if (blocking([] { return 1; }) != 1) failed |= 32;
  io::close(ends[0]);
  io::close(ends[1]);
  if (rt && rt->workers() != 2) failed |= 64;
  return failed;
}

TEST_F(life, a_forked_child_of_a_kernel_thread) {
  if (forked_with_locks_held) GTEST_SKIP() << "gcc 12's AddressSanitizer; see sanitizer.hpp";
  runtime rt({.workers = 2});
  fiber sleeper(on(rt), [] { this_fiber::sleep_for(1h); });
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check_forked_child(&rt));
  EXPECT_EQ(status_of(child), 0);
  EXPECT_EQ(rt.run([] { return 1; }), 1) << "the parent goes on";
}

TEST_F(life, a_forked_child_of_a_fiber) {
  if (forked_with_locks_held) GTEST_SKIP() << "gcc 12's AddressSanitizer; see sanitizer.hpp";
  runtime rt({.workers = 2});
  rt.run([&] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(check_forked_child(&rt));
    EXPECT_EQ(blocking([&] { return status_of(child); }), 0);
    this_fiber::sleep_for(1ms);
  });
}

TEST_F(life, a_forked_child_may_destroy_runtimes_and_exit) {
  if (sanitized) GTEST_SKIP() << "LeakSanitizer reports what the threads had that fork left behind";
  EXPECT_EXIT(
      {
        leave_fibers_behind();
        pid_t child;
        {
          runtime rt({.workers = 2});
          rt.run([] { this_fiber::yield(); });
          child = ::fork();
        }
        if (child == 0) std::exit(0);
        std::exit(status_of(child) == 0 ? 11 : 12);
      },
      ExitedWithCode(11), "");
}
}  // namespace
}  // namespace weft::test
