#include "base/symbols.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "base/atomic.hpp"
#include "base/modules.hpp"
#include "base/thread_activity.hpp"

namespace weft::detail {
namespace {
[[gnu::noinline]] int only_here(int n) {
  asm volatile("");
  return n + 1;
}

TEST(symbols, of_a_static_function_and_of_the_c_library) {
  static module_map code;
  code.read();
  const auto name_at = [](std::uintptr_t address) {
    const module_map::place at = code.locate(address);
    char name[200] = "";
    return at.path && find_symbol(at.path, at.offset, name, sizeof name) ? std::string(name) : "";
  };
  EXPECT_NE(name_at(reinterpret_cast<std::uintptr_t>(&only_here) + 1).find("only_here"),
            std::string::npos);
  EXPECT_NE(name_at(reinterpret_cast<std::uintptr_t>(&::getppid)).find("getppid"),
            std::string::npos);
  EXPECT_EQ(name_at(16), "");
}

TEST(symbols, of_no_elf_file) {
  char name[20];
  EXPECT_FALSE(find_symbol("/proc/self/maps", 0, name, sizeof name));
  EXPECT_FALSE(find_symbol("/nowhere", 0, name, sizeof name));
}

TEST(thread_activity, of_a_thread_that_is_blocked_and_of_one_that_is_not) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  atomic<int> tid{0};
  std::thread reader([&] {
    tid = static_cast<int>(::syscall(SYS_gettid));
    char c;
    EXPECT_EQ(::read(pipe[0], &c, 1), 1);
  });
  while (tid == 0) std::this_thread::yield();
  thread_activity seen;
  for (;;) {
    seen = activity_of(tid);
    if (seen.what == thread_activity::blocked && seen.call == SYS_read) break;
    if (seen.what == thread_activity::unknown) break;
    std::this_thread::yield();
  }
  EXPECT_EQ(seen.what, thread_activity::blocked);
  EXPECT_STREQ(name_of_call(seen.call), "read");
  EXPECT_NE(seen.sp, 0u);
  ASSERT_EQ(::write(pipe[1], "x", 1), 1);
  reader.join();
  // Of the calling thread it would tell the read with which it asks.
  atomic<int> busy{0};
  atomic<bool> stop{false};
  std::thread spinner([&] {
    busy = static_cast<int>(::syscall(SYS_gettid));
    while (!stop) {
    }
  });
  while (busy == 0) std::this_thread::yield();
  EXPECT_EQ(activity_of(busy).what, thread_activity::runs);
  stop = true;
  spinner.join();
  EXPECT_EQ(activity_of(0x7ffffff0).what, thread_activity::unknown);
  ::close(pipe[0]);
  ::close(pipe[1]);
}
}  // namespace
}  // namespace weft::detail
