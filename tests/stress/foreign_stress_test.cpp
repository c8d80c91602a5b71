// Kernel threads that spawn into runtimes, stop, join and detach, while runtimes come and go.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "support/descriptors.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class foreign_stress : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, foreign_stress, testing::Values(1u, 2u, 4u));

void work(choices mine) {
  for (unsigned i = mine.below(4); i > 0; --i) {
    if (mine.one_in(3)) {
      this_fiber::sleep_for(std::chrono::microseconds(mine.below(300)));
    } else {
      this_fiber::yield();
    }
  }
}

// One thread's share: fibers spawned, and what becomes of their handles.
void spawn_and_let_go(runtime& rt, choices mine, std::atomic<int>& ended, int count) {
  struct at_end {
    std::atomic<int>& ended;
    ~at_end() { ++ended; }
  };
  std::vector<fiber> held;
  for (int i = 0; i < count; ++i) {
    fiber f(on(rt), [&ended, child = mine.split()] {
      const at_end count_me{ended};
      work(child);
    });
    switch (mine.below(5)) {
      case 0:
        f.detach();
        break;
      case 1:
        f.request_stop();
        held.push_back(std::move(f));
        break;
      case 2:
        f.join();
        break;
      case 3:
        held.push_back(std::move(f));
        break;
      default:
        break;  // stopped and joined by the destructor
    }
    if (held.size() > 50) held.erase(held.begin(), held.begin() + 25);
  }
}

TEST_P(foreign_stress, spawns_and_stops_from_kernel_threads) {
  choices random(seed());
  const budget time;
  runtime rt({.workers = GetParam()});
  do {
    std::atomic<int> ended{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, mine = random.split()] { spawn_and_let_go(rt, mine, ended, 300); });
    }
    for (std::thread& t : threads) t.join();
    until([&] { return rt.stats().fibers_alive == 0; });
    ASSERT_EQ(ended, 900);
  } while (time.left());
}

TEST_P(foreign_stress, runtimes_come_and_go) {
  choices random(seed());
  const budget time;
  do {
    std::atomic<int> ended{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, mine = random.split()]() mutable {
        for (int i = 0; i < 5; ++i) {
          runtime rt({.workers = GetParam()});
          spawn_and_let_go(rt, mine.split(), ended, 20);
        }
      });
    }
    for (std::thread& t : threads) t.join();
    ASSERT_EQ(ended, 300);
  } while (time.left());
}

// Two runtimes whose fibers spawn into, join and stop each other, and wake each other through
// sockets.
TEST_P(foreign_stress, between_runtimes) {
  choices random(seed());
  const budget time;
  runtime a({.workers = GetParam()}), b({.workers = 2});
  do {
    a.run([&] {
      fd_pair p = make_socketpair();
      fiber echo(on(b), [&] {
        char buffer[16];
        ssize_t n;
        while ((n = io::read(p[1], buffer, sizeof buffer)) > 0) {
          ASSERT_EQ(io::write(p[1], buffer, static_cast<std::size_t>(n)), n);
        }
      });
      for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(write(p[0], "x"), 1);
        char c;
        ASSERT_EQ(io::read(p[0], &c, 1), 1);
        fiber there(on(b), [&, mine = random.split()]() mutable {
          fiber back(on(a), [child = mine.split()] { work(child); });
          if (mine.one_in(2)) back.request_stop();
          if (mine.one_in(2)) this_fiber::yield();
        });
        if (random.one_in(2)) there.request_stop();
      }
      ::shutdown(p[0], SHUT_WR);
      echo.join();
    });
  } while (time.left());
}
}  // namespace
}  // namespace weft::test
