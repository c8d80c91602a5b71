// Who may wait for a fiber's end, from where, and what happens when that cannot
// be.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "support/fibers.hpp"
#include "support/stacks.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

TEST(join, of_oneself_is_a_deadlock_told) {
  runtime rt({.workers = 1});
  rt.run([] {
    thrown error;
    fiber self;
    self = fiber([&] { error = thrown_by([&] { self.join(); }); });
    this_fiber::yield();
    self.join();
    EXPECT_EQ(error.code, std::errc::resource_deadlock_would_occur);
    EXPECT_NE(error.text.find("its own end"), std::string::npos) << error.text;
  });
}

TEST(join, twice_is_invalid) {
  runtime rt({.workers = 1});
  rt.run([] {
    fiber f([] {});
    f.join();
    EXPECT_EQ(thrown_by([&] { f.join(); }).code, std::errc::invalid_argument);
    fiber moved([] {});
    fiber to(std::move(moved));
    EXPECT_EQ(thrown_by([&] { moved.join(); }).code, std::errc::invalid_argument);
    to.detach();
    EXPECT_EQ(thrown_by([&] { to.join(); }).code, std::errc::invalid_argument);
    EXPECT_EQ(thrown_by([&] { to.detach(); }).code, std::errc::invalid_argument);
  });
}

TEST(join, sees_all_that_the_fiber_did) {
  for (const unsigned workers : {1u, 2u, 4u}) {
    runtime rt({.workers = workers});
    rt.run([] {
      for (int i = 0; i < 5000; ++i) {
        int unguarded = 0;
        fiber f([&, i] {
          if (i % 3 == 0) this_fiber::yield();
          unguarded = i;
        });
        if (i % 2 == 0) this_fiber::yield();
        f.join();
        ASSERT_EQ(unguarded, i);
      }
    });
  }
}

TEST(join, in_any_order) {
  runtime rt({.workers = 2});
  rt.run([] {
    std::vector<fiber> fibers;
    std::atomic<int> ended{0};
    for (int i = 0; i < 300; ++i) {
      fibers.emplace_back([&, i] {
        for (int k = i % 7; k > 0; --k) this_fiber::yield();
        ++ended;
      });
    }
    for (std::size_t i = 0; i < fibers.size(); i += 2) fibers[i].join();
    for (std::size_t i = fibers.size(); i-- > 0;) {
      if (fibers[i].joinable()) fibers[i].join();
    }
    EXPECT_EQ(ended, 300);
  });
}

TEST(join, from_kernel_threads) {
  runtime rt({.workers = 2});
  std::atomic<int> ended{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        fiber f(on(rt), [&, i] {
          if (i % 2) this_fiber::sleep_for(10us);
          ++ended;
        });
        if (i % 3 == 0) std::this_thread::yield();
        f.join();
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(ended, 800);
}

TEST(join, from_fibers_of_another_runtime) {
  runtime a({.workers = 2}), b({.workers = 2});
  a.run([&] {
    for (int i = 0; i < 300; ++i) {
      int unguarded = 0;
      fiber f(on(b), [&, i] {
        if (i % 3 == 0) this_fiber::yield();
        unguarded = i;
      });
      if (i % 2 == 0) this_fiber::yield();
      f.join();
      ASSERT_EQ(unguarded, i);
    }
  });
}

// The handle travels: made here, joined on a kernel thread, the fiber somewhere
// else.
TEST(join, of_a_handle_that_was_handed_on) {
  runtime rt({.workers = 2});
  for (int i = 0; i < 100; ++i) {
    std::atomic<bool> go{false};
    fiber f(on(rt), [&] { until([&] { return go.load(); }); });
    std::thread joiner([f = std::move(f)]() mutable { f.join(); });
    go = true;
    joiner.join();
  }
}

TEST(join, a_chain_of_spawns) {
  runtime rt({.workers = 2});
  struct chain {
    static int down(int n) {
      if (n == 0) return 0;
      int below = 0;
      fiber f([&] { below = down(n - 1); });
      f.join();
      return below + 1;
    }
  };
  EXPECT_EQ(rt.run([] { return chain::down(1000); }), 1000);
}

TEST(join, a_tree_of_spawns) {
  for (const unsigned workers : {1u, 2u, 4u}) {
    runtime rt({.workers = workers});
    struct tree {
      static int count(int depth) {
        if (depth == 0) return 1;
        int left = 0, right = 0;
        fiber a([&] { left = count(depth - 1); });
        fiber b([&] { right = count(depth - 1); });
        a.join();
        b.join();
        return left + right;
      }
    };
    EXPECT_EQ(rt.run([] { return tree::count(12); }), 4096);
  }
}

TEST(join, a_hundred_thousand_fibers_at_once) {
  runtime rt({.workers = 2});
  const std::size_t count = fibers_at_once(100'000);
  std::atomic<std::size_t> ended{0};
  rt.run([&] {
    std::vector<fiber> fibers;
    fibers.reserve(count);
    for (std::size_t i = 0; i < count; ++i) fibers.emplace_back([&] { ++ended; });
    for (fiber& f : fibers) f.join();
  });
  EXPECT_EQ(ended, count);
  until([&] { return rt.stats().fibers_alive == 0; });
  EXPECT_EQ(rt.stats().fibers_spawned, count + 1);
}

TEST(join, destructors_of_locals_run_before_the_end_is_seen) {
  runtime rt({.workers = 2});
  rt.run([] {
    for (int i = 0; i < 200; ++i) {
      bool gone = false;
      struct last {
        bool& gone;
        ~last() {
          this_fiber::yield();
          gone = true;
        }
      };
      fiber f([l = std::make_unique<last>(gone)] {});
      f.join();
      ASSERT_TRUE(gone);
    }
  });
}
}  // namespace
}  // namespace weft::test
