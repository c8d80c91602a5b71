// The gdb commands of src/weft-gdb.py, on a live process and on a core file. Needs a kernel that
// lets gdb trace its child.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/descriptors.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
using namespace std::chrono_literals;

// What gdb runs, and finds by name.
extern "C" [[gnu::noinline]] void gdb_victim_is_ready() {
  asm volatile("");
}

namespace {
// Only this file has debug information of arguments, so the function is its own.
[[gnu::noipa]] void gdb_victim_sleeps(int n) {
  if (n == 0) {
    this_fiber::sleep_for(1h);
  } else {
    gdb_victim_sleeps(n - 1);
  }
  asm volatile("");  // no tail call
}

TEST(gdb, DISABLED_victim) {
  runtime rt({.workers = 1});
  rt.run([&] {
    const fd_pair pipe = make_pipe();
    fiber_options named;
    named.name = "sleeper";
    fiber sleeper(named, [] { gdb_victim_sleeps(3); });
    const fiber joiner([&] { sleeper.join(); });
    const fiber reader([&] { io::wait_readable(pipe[0]); });
    until_parked(rt, 3);
    const fiber fresh([] {});
    gdb_victim_is_ready();
    std::abort();
  });
}

// The script comes from the program itself.
std::string gdb_command() {
  return "gdb -nx -batch -iex 'set debuginfod enabled off' -iex 'add-auto-load-safe-path " +
         own_path() + "'";
}

std::string victim() {
  return own_path() + only("gdb.DISABLED_victim") + "--gtest_catch_exceptions=0";
}

bool may_not_trace(const ended& run) {
  return run.status == 127 || run.has("ptrace") || run.has("Could not trace");
}

void expect_what_fibers_do(const ended& run) {
  EXPECT_TRUE(run.has("fiber 2 \"sleeper\" parked: sleep")) << run.output;
  EXPECT_TRUE(run.has("parked: join of fiber 2")) << run.output;
  EXPECT_TRUE(run.has("parked: fd ")) << run.output;
  EXPECT_TRUE(run.has("not begun, spawned at ")) << run.output;
  EXPECT_TRUE(run.has("running on thread ")) << run.output;
  EXPECT_TRUE(run.has("gdb_test.cpp:")) << run.output;
  EXPECT_TRUE(run.has("5 fibers")) << run.output;
}

TEST(gdb, shows_fibers_and_their_stacks_in_a_live_process) {
  const ended run =
      shell(gdb_command() +
            " -ex 'break gdb_victim_is_ready' -ex run -ex 'weft fibers' -ex 'weft fiber 2 bt'"
            " -ex 'echo ==all\\n' -ex 'weft fiber apply all bt' -ex 'echo ==here\\n' -ex 'bt 1'"
            " -ex 'weft fiber 77 bt' -ex 'weft fiber 2 frame function gdb_victim_sleeps'"
            " -ex kill --args " +
            victim());
  if (may_not_trace(run)) GTEST_SKIP() << "gdb may not trace here:\n" << run.output;
  expect_what_fibers_do(run);
  const std::string one = run.output.substr(0, run.output.find("==all"));
  EXPECT_NE(one.find("gdb_victim_sleeps (n="), std::string::npos) << one;
  EXPECT_NE(one.find("weft_context_entry"), std::string::npos) << one;
  const std::string here = run.output.substr(run.output.find("==here"));
  // Its debug information has it in the namespace from gcc, and outside, as it is linked, from
  // clang.
  EXPECT_TRUE(here.find("#0  weft::test::gdb_victim_is_ready") != std::string::npos ||
              here.find("#0  gdb_victim_is_ready") != std::string::npos)
      << "the thread has its registers back\n"
      << run.output;
  EXPECT_NE(here.find("no fiber 77"), std::string::npos) << here;
}

TEST(gdb, shows_fibers_and_their_stacks_in_a_core_file) {
  if (sanitized) GTEST_SKIP() << "AddressSanitizer switches core files off";
  std::string pattern;
  std::getline(std::ifstream("/proc/sys/kernel/core_pattern"), pattern);
  if (pattern.empty() || pattern[0] == '|' || pattern.find('/') != std::string::npos) {
    GTEST_SKIP() << "core files go elsewhere: " << pattern;
  }
  char folder[] = "/tmp/weft-core-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string inside = std::string("cd ") + folder + " && ";
  shell(inside + "ulimit -c unlimited && " + victim());
  const bool written = !std::filesystem::is_empty(folder);
  const ended run =
      shell(inside + gdb_command() +
            " -ex 'weft fibers' -ex 'weft fiber 2 bt' -ex 'weft fiber 2 info locals' " +
            own_path() + " core*");
  std::filesystem::remove_all(folder);
  if (!written || run.status == 127) GTEST_SKIP() << "no core file, or no gdb:\n" << run.output;
  expect_what_fibers_do(run);
  EXPECT_TRUE(run.has("gdb_victim_sleeps")) << run.output;
  EXPECT_TRUE(run.has("weft_context_entry")) << run.output;
  EXPECT_TRUE(run.has("in a core file only bt works")) << run.output;
}
}  // namespace
}  // namespace weft::test
