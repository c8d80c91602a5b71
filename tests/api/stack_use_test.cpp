// weft::stack_use: how deep the fibers of each spawn site use their stacks.
#include <alloca.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <regex>
#include <string>
#include <thread>
#include <vector>
#include <weft/debug.hpp>

#include "stack/stack.hpp"
#include "support/descriptors.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
// Uses `depth` bytes of stack and writes all of them. Unlike a recursion it goes to a known place:
// from the frame of the caller.
[[gnu::noinline]] void use(
    std::size_t depth, const std::function<void()>& there = [] {}) {
  auto* memory = static_cast<volatile char*>(alloca(depth));
  for (std::size_t i = 0; i < depth; ++i) memory[i] = 1;
  there();
}

// What stands for the fibers spawned with this line.
stack_use_of_site of_line(unsigned line) {
  for (const stack_use_of_site& site : stack_use()) {
    if (site.line == line && site.file && std::string(site.file) == "here.cpp") return site;
  }
  return {};
}

fiber_options at_line(runtime& rt, unsigned line) {
  fiber_options options = on(rt);
  options.site = {"here.cpp", line};
  return options;
}

// The frames that are there anyway: fiber_main, the closure, use() itself and observing.
constexpr std::size_t frames = sanitized ? 6000 : 2000;

void expect_depth(const stack_use_of_site& site, std::size_t depth, std::size_t beside = frames) {
  EXPECT_GE(site.deepest, depth);
  EXPECT_LE(site.deepest, depth + beside);
}

class stack_use_of : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam(), .measure_stacks = true}};
  static unsigned next_line() {
    static unsigned line = 0;
    return ++line;
  }
};
INSTANTIATE_TEST_SUITE_P(workers, stack_use_of, testing::Values(1u, 2u));

TEST_P(stack_use_of, known_depths_is_exact) {
  if (sanitized) GTEST_SKIP() << "has redzones of other sizes in each frame";
  rt.run([&] {
    // The same function at two depths: what is there anyway drops out of the difference.
    const unsigned shallow = next_line();
    fiber(at_line(rt, shallow), [] { use(1000); }).join();
    const std::size_t base = of_line(shallow).deepest - 1000;
    for (const std::size_t depth : {5000u, 20'000u, 100'000u, 250'000u}) {
      const unsigned line = next_line();
      fiber(at_line(rt, line), [depth] { use(depth); }).join();
      EXPECT_NEAR(static_cast<double>(of_line(line).deepest), static_cast<double>(depth + base),
                  256)
          << depth;
      EXPECT_EQ(of_line(line).fibers, 1u);
    }
  });
}

TEST_P(stack_use_of, a_shallow_fiber_on_the_stack_of_a_deep_one) {
  rt.run([&] {
    const unsigned deep = next_line();
    const unsigned shallow = next_line();
    for (int i = 0; i < 10; ++i) {
      fiber(at_line(rt, deep), [] { use(150'000); }).join();
      fiber(at_line(rt, shallow), [] { use(3000); }).join();
    }
    expect_depth(of_line(deep), 150'000);
    expect_depth(of_line(shallow), 3000);
    EXPECT_EQ(of_line(shallow).fibers, 10u);
  });
}

TEST_P(stack_use_of, the_deepest_of_many) {
  const unsigned line = next_line();
  rt.run([&] {
    std::vector<fiber> all;
    for (std::size_t i = 1; i <= 200; ++i) {
      all.emplace_back(at_line(rt, line), [i] {
        use(i * 1000);
        this_fiber::yield();
      });
    }
    for (fiber& f : all) f.join();
  });
  expect_depth(of_line(line), 200'000);
  EXPECT_EQ(of_line(line).fibers, 200u);
}

TEST_P(stack_use_of, a_fiber_that_still_runs) {
  const unsigned line = next_line();
  rt.run([&] {
    std::atomic<bool> deep = false;
    std::atomic<bool> go = false;
    fiber f(at_line(rt, line), [&] {
      use(40'000, [&] {
        deep = true;
        until([&] { return go.load(); });
      });
    });
    until([&] { return deep.load(); });
    // A page that it has touched this moment is still all zero, and counts as used
    // (high_water.hpp).
    expect_depth(of_line(line), 40'000, frames + detail::page_size);
    EXPECT_EQ(of_line(line).fibers, 0u) << "it has not ended";
    go = true;
    f.join();
    EXPECT_EQ(of_line(line).fibers, 1u);
  });
}

TEST_P(stack_use_of, other_stack_sizes) {
  rt.run([&] {
    struct {
      std::size_t size, depth;
    } const cases[] = {
        {16 << 10, 8000}, {64 << 10, 50'000}, {1 << 20, 900'000}, {8 << 20, 7 << 20}};
    for (const auto& c : cases) {
      const unsigned line = next_line();
      fiber_options options = at_line(rt, line);
      options.stack_size = c.size;
      fiber(options, [&c] { use(c.depth); }).join();
      const stack_use_of_site site = of_line(line);
      expect_depth(site, c.depth);
      // Wide registers make the smallest ones larger.
      const std::size_t usable = detail::stack_class_bytes(detail::stack_class_for(c.size));
      EXPECT_GE(site.stack_size, usable);
      EXPECT_LE(site.stack_size, usable + 8192) << "the stack, without its guard";
    }
  });
}

TEST_P(stack_use_of, nearly_all_of_a_stack) {
  rt.run([&] {
    const unsigned line = next_line();
    fiber(at_line(rt, line), [] { use(260'000); }).join();
    const stack_use_of_site site = of_line(line);
    EXPECT_GE(site.deepest, 260'000u);
    EXPECT_LE(site.deepest, site.stack_size);
  });
}

TEST_P(stack_use_of, after_parks_and_blocking_calls) {
  const unsigned line = next_line();
  rt.run([&] {
    std::vector<fiber> all;
    for (int i = 0; i < 20; ++i) {
      all.emplace_back(at_line(rt, line), [] {
        blocking([] { ::usleep(3000); });
        this_fiber::yield();
        use(30'000, [] { blocking([] {}); });
      });
    }
    for (fiber& f : all) f.join();
  });
  expect_depth(of_line(line), 30'000);
  EXPECT_EQ(of_line(line).fibers, 20u);
}

TEST_P(stack_use_of, detached_fibers) {
  const unsigned line = next_line();
  rt.run([&] {
    for (int i = 0; i < 50; ++i) fiber(at_line(rt, line), [] { use(10'000); }).detach();
  });
  rt.run([&] { until([&] { return of_line(line).fibers == 50; }); });
  expect_depth(of_line(line), 10'000);
}

TEST_P(stack_use_of, is_printed_as_a_table) {
  const unsigned line = next_line();
  rt.run([&] { fiber(at_line(rt, line), [] { use(77'000); }).join(); });
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  std::thread writer([&] {
    dump_stack_use(pipe[1]);
    ::close(pipe[1]);
  });
  std::string all;
  for (char c; ::read(pipe[0], &c, 1) == 1;) all += c;
  writer.join();
  ::close(pipe[0]);
  const std::string expected = " fibers ended, spawned at here.cpp:" + std::to_string(line) + "\n";
  EXPECT_NE(all.find(expected), std::string::npos) << all;
  // Sanitizers' frames are larger.
  EXPECT_TRUE(std::regex_search(all, std::regex("stack use 7[7-9]... of .*" + expected))) << all;
}

TEST(stack_use, of_a_runtime_that_does_not_measure_is_not_known) {
  runtime rt({.workers = 1});
  rt.run([&] { fiber(at_line(rt, 1'000'001), [] { use(10'000); }).join(); });
  EXPECT_EQ(of_line(1'000'001).deepest, 0u);
}

TEST(stack_use, is_measured_when_the_environment_says_so) {
  ::setenv("WEFT_MEASURE_STACKS", "1", 1);
  {
    runtime rt({.workers = 1});
    ::unsetenv("WEFT_MEASURE_STACKS");
    rt.run([&] { fiber(at_line(rt, 1'000'002), [] { use(10'000); }).join(); });
  }
  expect_depth(of_line(1'000'002), 10'000);
}
}  // namespace
}  // namespace weft::test
