// What weft::dump says of fibers that go on while it is written, or are between two states.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>
#include <weft/semaphore.hpp>

#include "support/chaotic.hpp"
#include "support/descriptors.hpp"
#include "support/dumps.hpp"
#include "support/explorations.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// The pipe takes the beginning of the dump; the rest is told of waits that have begun since.
TEST(dump_moving, counts_waits_that_begin_meanwhile_as_new) {
  runtime rt({.workers = 1});
  std::vector<fiber> all;
  for (int i = 0; i < 500; ++i) {
    all.emplace_back(on(rt), [] {
      for (;;) this_fiber::sleep_for(1ms);
    });
  }
  fd_pair pipe;  // that blocks
  ASSERT_EQ(::pipe(pipe.fds), 0);
  std::thread writer([&] {
    dump(pipe[1], dump_detail::every_fiber);
    pipe.close(1);
  });
  char part[4096];
  ssize_t n = ::read(pipe[0], part, sizeof part);
  std::string text;
  const std::uint64_t before = rt.stats().switches;
  until([&] { return rt.stats().switches > before + 5'000; });
  for (; n > 0; n = ::read(pipe[0], part, sizeof part)) text.append(part, std::size_t(n));
  writer.join();
  EXPECT_TRUE(has(text, "\n500 fibers: ")) << text;
  EXPECT_FALSE(has(text, "for [0-9]+ min: ")) << text;
}

TEST(dump_moving, of_a_fiber_whose_place_in_blocking_is_free_now) {
  runtime rt({.workers = 1, .max_blocking = 1});
  const std::string text = rt.run([&] {
    fiber waiter([] { blocking([] {}); });
    blocking([&] { until([&] { return rt.stats().blocking_waiting == 1; }); });
    return dumped();  // it has been given the place, and has not run since
  });
  EXPECT_TRUE(has(text, "fiber [0-9]+ ready; spawned at ")) << text;
  EXPECT_FALSE(has(text, "inside blocking")) << text;
}

TEST(dump_moving, of_the_caller_inside_blocking) {
  const auto before = std::chrono::steady_clock::now();
  runtime rt({.workers = 1});
  std::string text;
  rt.run([&] { blocking([&] { text = dumped(); }); });
  EXPECT_TRUE(has(text, "fiber [0-9]+ inside blocking\\(\\) for [0-9.]+ s; [^\n]*\n    #0 "))
      << text;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - before;
  EXPECT_LE(told_seconds(text, "inside blocking\\(\\) for "), passed.count() + 0.5) << text;
}

TEST(dump_moving, of_the_caller_in_an_explored_run) {
  std::string text;
  testing::explore([&] { text = dumped(); }, 1);
  EXPECT_TRUE(has(text, "fiber [0-9]+ running on worker 0; [^\n]*\n    #0 ")) << text;
}

// One is seen parked, and woken by the other, which is seen parked then.
TEST(dump_moving, of_fibers_that_wake_one_another_in_turn) {
  runtime one({.workers = 1});
  runtime two({.workers = 1});
  counting_semaphore<> ping(0), pong(0);
  std::atomic<bool> over{false};
  fiber a(on(one), [&] {
    while (!over) {
      ping.release();
      pong.acquire();
    }
    ping.release();
  });
  fiber b(on(two), [&] {
    while (!over) {
      ping.acquire();
      pong.release();
    }
    pong.release();
  });
  int hopeless = 0;
  for (int i = 0; i < times(1000); ++i) {
    hopeless += dumped().find("nothing here can wake") != std::string::npos;
  }
  over = true;
  a.join();
  b.join();
  EXPECT_EQ(hopeless, 0);
}
}  // namespace
}  // namespace weft::test
