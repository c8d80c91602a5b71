// Stop requests from anywhere, racing with whatever else ends a wait.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>
#include <weft/io.hpp>

#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class cancel_on_workers : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, cancel_on_workers, testing::Values(1u, 2u, 4u));

TEST_P(cancel_on_workers, a_thousand_sleepers_from_a_kernel_thread) {
  runtime rt({.workers = GetParam()});
  std::atomic<int> ended{0};
  std::vector<fiber> sleepers;
  for (int i = 0; i < 1000; ++i) {
    sleepers.emplace_back(on(rt), [&] {
      if (canceled([] { this_fiber::sleep_for(1h); })) ++ended;
    });
  }
  for (fiber& f : sleepers) EXPECT_TRUE(f.request_stop());
  for (fiber& f : sleepers) f.join();
  EXPECT_EQ(ended, 1000);
}

// A byte and a stop request race for the same wait: one of them wins, and a
// byte that did not win is still there.
TEST_P(cancel_on_workers, races_with_a_wake) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    int ends[2];
    ASSERT_EQ(io::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    for (int round = 0; round < 2000; ++round) {
      bool got = false;
      fiber reader([&] {
        char c;
        const ssize_t n = io::read(ends[0], &c, 1);
        got = n == 1;
        EXPECT_TRUE(got || (n == -1 && errno == ECANCELED)) << n;
      });
      for (int i = round % 3; i > 0; --i) this_fiber::yield();
      fiber writer([&] { EXPECT_EQ(io::write(ends[1], "x", 1), 1); });
      for (int i = round % 5; i > 0; --i) this_fiber::yield();
      reader.request_stop();
      reader.join();
      writer.join();
      char c;
      if (!got) {
        EXPECT_EQ(io::read(ends[0], &c, 1), 1);
      }
      ASSERT_EQ(io::recv(ends[0], &c, 1, MSG_DONTWAIT), -1) << "one byte a round";
    }
    io::close(ends[0]);
    io::close(ends[1]);
  });
}

// The end of the joined fiber and the stop of the joiner race.
TEST_P(cancel_on_workers, races_with_the_end_of_a_joined_fiber) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    for (int round = 0; round < 3000; ++round) {
      fiber other([round] {
        for (int i = round % 4; i > 0; --i) this_fiber::yield();
      });
      bool joined = false;
      fiber joiner([&] { joined = !canceled([&] { other.join(); }); });
      for (int i = round % 7; i > 0; --i) this_fiber::yield();
      joiner.request_stop();
      joiner.join();
      ASSERT_EQ(other.joinable(), !joined);
      if (!joined) other.join();
    }
  });
}

// The timeout of a wait and its stop race.
TEST_P(cancel_on_workers, races_with_a_timeout) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    for (int round = 0; round < 500; ++round) {
      bool slept = false, ended = false;
      fiber sleeper([&] {
        ended = canceled([&] {
          this_fiber::sleep_for(std::chrono::microseconds(round % 50));
          slept = true;
        });
      });
      this_fiber::sleep_for(std::chrono::microseconds(round % 37));
      sleeper.request_stop();
      sleeper.join();
      ASSERT_NE(slept, ended);
    }
  });
}

TEST_P(cancel_on_workers, from_several_threads_at_once) {
  runtime rt({.workers = GetParam()});
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> first{0};
    fiber sleeper(on(rt), [] { this_fiber::sleep_for(1h); });
    std::vector<std::thread> threads;
    std::atomic<bool> go{false};
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, source = sleeper.get_stop_source()]() mutable {
        until([&] { return go.load(); });
        if (source.request_stop()) ++first;
      });
    }
    go = true;
    for (std::thread& t : threads) t.join();
    sleeper.join();
    EXPECT_EQ(first, 1);
  }
}
}  // namespace
}  // namespace weft::test
