// A runtime that has nothing to do gives the memory of free stacks back to the kernel.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "support/fibers.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t burst = 2'000;
constexpr std::size_t used_of_each = 40 << 10;

std::size_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  EXPECT_NE(file, nullptr);
  std::size_t size = 0;
  std::size_t resident = 0;
  EXPECT_EQ(std::fscanf(file, "%zu %zu", &size, &resident), 2);
  std::fclose(file);
  return resident * 4096;
}

// All alive at a time, each with most of its stack written to.
void make_burst(runtime& rt) {
  rt.run([] {
    std::atomic<std::size_t> alive{0};
    std::vector<fiber> all;
    for (std::size_t i = 0; i < burst; ++i) {
      all.emplace_back([&] {
        volatile char used[used_of_each];
        asm volatile("" : : "r"(used) : "memory");  // clang takes it apart, volatile or not
        for (std::size_t at = 0; at < used_of_each; at += 1024) used[at] = 1;
        alive += static_cast<std::size_t>(used[0]);
        until([&] { return alive == burst; });
      });
    }
    for (fiber& f : all) f.join();
  });
}

// The stacks that lie in the caches of processors keep theirs: some 64 for each.
void expect_that_it_goes_back() {
  constexpr std::size_t most = (burst - 200) * used_of_each;
  const std::size_t before = resident_bytes();
  ASSERT_GT(before, most);
  // Three seconds by design; the limit is for a machine that stalls.
  const auto limit = steady_clock::now() + 30s;
  while (before - std::min(resident_bytes(), before) < most && steady_clock::now() < limit) {
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_GE(before - std::min(resident_bytes(), before), most);
}

TEST(idle_memory, of_a_runtime_at_rest) {
  runtime rt({.workers = 2});
  make_burst(rt);
  expect_that_it_goes_back();
  make_burst(rt);  // and they are as good as new
}

TEST(idle_memory, of_a_runtime_that_never_rests_for_a_whole_second) {
  runtime rt({.workers = 2});
  fiber ticker(on(rt), [] {
    for (;;) this_fiber::sleep_for(50ms);
  });
  make_burst(rt);
  expect_that_it_goes_back();
}

TEST(idle_memory, beside_a_runtime_that_is_busy) {
  if (detail::thread_sanitizer) GTEST_SKIP() << "its history of the busy fiber grows meanwhile";
  runtime busy({.workers = 1});
  fiber computing(on(busy),
                  [](std::stop_token stop) { until([&] { return stop.stop_requested(); }); });
  runtime rt({.workers = 2});
  make_burst(rt);
  expect_that_it_goes_back();
  computing.request_stop();
}
}  // namespace
}  // namespace weft::test
