// runtime_options::hog_report: fibers that keep a worker to themselves are told on stderr.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "support/descriptors.hpp"
#include "support/dumps.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

[[gnu::noinline]] void compute_while(const std::atomic<bool>& on) {
  while (on) {
  }
}

// A site is reported once in the life of the process, whatever the order of the tests.
void hold_until_reported(std::uint64_t reports, const char* name, std::uint32_t line) {
  runtime rt({.workers = 2, .hog_report = 10ms});
  std::atomic<bool> on_going{true};
  fiber_options options = on(rt);
  options.name = name;
  options.site = {.file = "long.cpp", .line = line};
  for (std::uint64_t i = 1; i <= reports; ++i) {
    on_going = true;
    fiber busy(options, [&] { compute_while(on_going); });
    until([&] { return rt.stats().hogs >= i; });
    on_going = false;
    busy.join();
  }
}

TEST(hog, that_computes_is_reported_with_its_stack) {
  // Of a thread that gets no CPU for too long the report has no stack: then it is another site's.
  std::string text;
  for (std::uint32_t line = 1000; !has(text, "\n    #0 "); ++line) {
    CaptureStderr();
    hold_until_reported(1, "cruncher", line);
    text = GetCapturedStderr();
    ASSERT_TRUE(has(text,
                    "^weft: fiber [0-9]+ \"cruncher\" has held worker [01] for [1-9][0-9]+ ms, "
                    "computing; spawned at long.cpp:" +
                        std::to_string(line) + "\n"))
        << text;
    EXPECT_TRUE(
        has(text, "\nweft: no other fiber runs on that worker meanwhile: call this_fiber::yield"))
        << text;
  }
  EXPECT_TRUE(has(text, "long.cpp:[0-9]+\n    #0 [^ \n]*weft_api_tests\\+0x")) << text;
}

TEST(hog, is_reported_once_for_a_site) {
  CaptureStderr();
  hold_until_reported(3, "", 8);
  const std::string text = GetCapturedStderr();
  EXPECT_TRUE(has(text, "has held")) << text;
  EXPECT_FALSE(has(text, "has held(.|\n)*has held")) << text;
}

TEST(hog, that_blocks_in_the_kernel_is_reported_with_the_call) {
  fd_pair pipe;  // that blocks
  ASSERT_EQ(::pipe(pipe.fds), 0);
  CaptureStderr();
  {
    runtime rt({.workers = 2, .hog_report = 10ms});
    fiber reader(on(rt), [&] {
      char c;
      EXPECT_EQ(::read(pipe[0], &c, 1), 1) << "not interrupted";
    });
    until([&] { return rt.stats().hogs > 0; });
    ASSERT_EQ(::write(pipe[1], "x", 1), 1);
    reader.join();
  }
  const std::string text = GetCapturedStderr();
  EXPECT_TRUE(has(text,
                  "^weft: fiber [0-9]+ has held worker [01] for [1-9][0-9]+ ms, blocked in read; "
                  "[^\n]*\n    #0 "))
      << text;
  EXPECT_TRUE(has(text, "\nweft: [^\n]*make it inside weft::blocking\\(\\)\n$")) << text;
}

TEST(hog, is_not_what_parks_or_blocks_where_it_may) {
  fd_pair pipe;
  ASSERT_EQ(::pipe(pipe.fds), 0);
  runtime rt({.workers = 2, .hog_report = 10ms});
  CaptureStderr();
  fiber reader(on(rt), [&] {
    char c;
    blocking([&] { EXPECT_EQ(::read(pipe[0], &c, 1), 1); });
  });
  fiber sleeper(on(rt), [] { this_fiber::sleep_for(100ms); });
  sleeper.join();
  ASSERT_EQ(::write(pipe[1], "x", 1), 1);
  reader.join();
  EXPECT_EQ(GetCapturedStderr(), "");
  EXPECT_EQ(rt.stats().hogs, 0u);
}

TEST(hog, is_nobodys_business_by_default) {
  runtime rt({.workers = 1});
  CaptureStderr();
  rt.run([] {
    const auto end = std::chrono::steady_clock::now() + 100ms;
    while (std::chrono::steady_clock::now() < end) {
    }
  });
  EXPECT_EQ(GetCapturedStderr(), "");
  EXPECT_EQ(rt.stats().hogs, 0u);
}

// A process stops the calling one for a while, three times, and ends it then.
void be_stopped_now_and_then() {
  if (::fork() != 0) return;
  const pid_t parent = ::getppid();
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(50ms);
    ::kill(parent, SIGSTOP);
    std::this_thread::sleep_for(100ms);
    ::kill(parent, SIGCONT);
  }
  std::this_thread::sleep_for(50ms);
  ::kill(parent, SIGUSR1);
  std::_Exit(0);
}

// Whoever is stopped holds nothing.
TEST(hog, is_not_seen_in_a_process_that_is_stopped) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static std::atomic<bool> done{false};
        std::signal(SIGUSR1, [](int) { done = true; });
        be_stopped_now_and_then();
        runtime rt({.workers = 1, .hog_report = 10ms});
        const auto yield = [] {
          while (!done) this_fiber::yield();
        };
        fiber other(on(rt), yield);
        rt.run(yield);
        other.join();
        std::_Exit(rt.stats().hogs == 0 ? 0 : 1);
      },
      testing::ExitedWithCode(0), "^$");
}

TEST(hog, limit_from_the_environment) {
  const auto start = [](const char* value) {
    ::setenv("WEFT_HOG_REPORT", value, 1);
    const thrown result = thrown_by([] { const runtime rt({.workers = 1}); });
    ::unsetenv("WEFT_HOG_REPORT");
    return result;
  };
  EXPECT_FALSE(start("10").code);
  EXPECT_FALSE(start("0").code);
  EXPECT_EQ(start("often").code.value(), EINVAL);
  EXPECT_NE(start("often").text.find("WEFT_HOG_REPORT is \"often\""), std::string::npos);
  EXPECT_EQ(thrown_by([] { const runtime rt({.hog_report = -1ms}); }).code.value(), EINVAL);

  ::setenv("WEFT_HOG_REPORT", "5", 1);
  runtime rt({.workers = 1});
  ::unsetenv("WEFT_HOG_REPORT");
  CaptureStderr();
  std::atomic<bool> on_going{true};
  fiber busy(on(rt), [&] { compute_while(on_going); });
  until([&] { return rt.stats().hogs > 0; });
  on_going = false;
  busy.join();
  static_cast<void>(GetCapturedStderr());
}
}  // namespace
}  // namespace weft::test
