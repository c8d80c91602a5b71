// Which of the fibers of scopes begins when: trees depth first, and nobody starves beside them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>
#include <weft/channel.hpp>
#include <weft/scope.hpp>

#include "support/chaotic.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// How many inner fibers of a tree are alive at a time, at most.
struct census {
  std::atomic<int> inner{0};
  std::atomic<int> most{0};
  std::atomic<int> leaves{0};

  void grow(int depth) {
    if (depth == 0) {
      ++leaves;
      return;
    }
    const int now = ++inner;
    int before = most;
    while (before < now && !most.compare_exchange_weak(before, now)) {
    }
    scope children;
    for (int i = 0; i < 10; ++i) children.spawn([this, depth] { grow(depth - 1); });
    children.join();
    --inner;
  }
};

class scope_order : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, scope_order, testing::Values(1, 2, 4));

// 1,111 inner fibers, of which 1,110 would wait at a time, breadth first.
TEST_P(scope_order, a_tree_is_run_depth_first) {
  if (chaotic()) GTEST_SKIP() << "chaos mode chooses another order";
  census tree;
  rt.run([&] { tree.grow(4); });
  EXPECT_EQ(tree.leaves, 10'000);
  EXPECT_LE(tree.most, 400);
}

// A fiber that yields has its turn again and again, and so has one that was woken.
TEST_P(scope_order, others_have_their_turn_beside_trees) {
  rt.run([&] {
    std::atomic<bool> over{false};
    std::atomic<int> turns{0};
    fiber yields([&] {
      while (!over) {
        ++turns;
        this_fiber::yield();
      }
    });
    for (int before = 0; before < 20; before = turns) {
      census tree;
      tree.grow(2);
    }
    over = true;
    yields.join();
  });
}

// Trees that come and go for ever, each of which is waited for, and a fiber of a scope that nobody
// waits for yet.
TEST_P(scope_order, a_fiber_that_nobody_waits_for_begins_beside_trees) {
  rt.run([&] {
    std::atomic<bool> ran{false};
    scope unwaited;
    unwaited.spawn([&] { ran = true; });
    while (!ran) {
      census tree;
      tree.grow(1);
    }
    unwaited.join();
  });
}

// The one that is waited for is served first; those of the other scope are there, too.
TEST_P(scope_order, two_scopes_of_one_fiber) {
  rt.run([&] {
    std::atomic<int> first{0};
    std::atomic<int> second{0};
    scope one;
    scope two;
    for (int i = 0; i < 100; ++i) {
      one.spawn([&] { ++first; });
      two.spawn([&] { ++second; });
    }
    one.join();
    EXPECT_EQ(first, 100);
    two.join();
    EXPECT_EQ(second, 100);
  });
}

TEST_P(scope_order, more_fibers_than_the_deque_holds) {
  rt.run([&] {
    std::atomic<int> ran{0};
    scope all;
    for (int i = 0; i < 20'000; ++i) all.spawn([&] { ++ran; });
    EXPECT_GE(rt.stats().fibers_ready + static_cast<std::uint64_t>(ran),
              GetParam() == 1 ? 20'000 : 1);
    all.join();
    EXPECT_EQ(ran, 20'000);
  });
}

// Its siblings run though it does not end, and though it waits for something else than its scope.
TEST_P(scope_order, the_spawner_waits_for_something_else) {
  rt.run([&] {
    scope all;
    event done;
    std::atomic<int> left{10};
    for (int i = 0; i < 10; ++i) {
      all.spawn([&] {
        if (--left == 0) done.set();
      });
    }
    done.wait();
    all.join();
  });
}

// How many switches f costs beside pairs that wake one another for ever.
template <class F>
std::uint64_t beside_pairs(std::size_t pairs, F f) {
  runtime rt({.workers = 1});
  std::uint64_t switches = 0;
  rt.run([&] {
    std::atomic<bool> over{false};
    std::vector<fiber> all;
    std::vector<channel<int>> calls(pairs * 2);
    for (std::size_t i = 0; i < calls.size(); i += 2) {
      all.emplace_back([&over, &to = calls[i], &back = calls[i + 1]] {
        while (!over) {
          to.send(1);
          static_cast<void>(back.receive());
        }
        to.close();
      });
      all.emplace_back([&to = calls[i], &back = calls[i + 1]] {
        while (to.receive()) back.send(1);
      });
    }
    this_fiber::yield();
    const std::uint64_t before = rt.stats().switches;
    f();
    switches = rt.stats().switches - before;
    over = true;
    for (fiber& each : all) each.join();
  });
  return switches;
}

// A turn of four, and not of a hundred.
TEST(scope_fibers, have_their_turn_beside_pairs) {
  if (chaotic()) GTEST_SKIP() << "chaos mode chooses another order";
  const auto many = [] {
    scope all;
    for (int i = 0; i < 2000; ++i) all.spawn([] {});
    all.join();
  };
  EXPECT_LE(beside_pairs(1, many), 2000 * 6);
  EXPECT_LE(beside_pairs(2, many), 2000 * 12);
}

TEST(scope_fibers, of_a_tree_are_run_depth_first_beside_a_pair) {
  if (chaotic()) GTEST_SKIP() << "chaos mode chooses another order";
  census tree;
  EXPECT_LE(beside_pairs(1, [&] { tree.grow(4); }), 11'111 * 6);
  EXPECT_LE(tree.most, 400);
}

// At each of its looks the worker finds some that came from outside.
TEST(scope_fibers, begin_beside_many_injected_ones) {
  if (chaotic()) GTEST_SKIP() << "chaos mode chooses another order";
  runtime rt({.workers = 1});
  rt.run([&] {
    std::atomic<int> ran{0};
    constexpr int many = 20'000;
    std::thread outside([&] {
      for (int i = 0; i < many; ++i) fiber(on(rt), [&] { ++ran; }).detach();
    });
    outside.join();                                             // the worker is kept meanwhile
    fiber yields([&] { until([&] { return ran == many; }); });  // the ring is never empty
    this_fiber::yield();
    int before = -1;
    scope all;
    all.spawn([&] { before = ran; });
    until([&] { return ran == many; });
    yields.join();
    EXPECT_GE(before, 0);
    EXPECT_LE(before, 300);
  });
}

// Other processors take them while the spawner computes.
TEST(scope_fibers, run_elsewhere_while_the_spawner_computes) {
  runtime rt({.workers = 2});
  rt.run([&] {
    for (int round = 0; round < 20; ++round) {
      std::atomic<int> ran{0};
      scope all;
      for (int i = 0; i < 3; ++i) all.spawn([&] { ++ran; });
      while (ran < 3) std::this_thread::yield();
    }
  });
}

// The processor goes on without the thread that was to run them.
TEST(scope_fibers, run_while_the_spawner_is_in_blocking) {
  runtime rt({.workers = 1});
  rt.run([&] {
    std::atomic<bool> ran{false};
    scope all;
    all.spawn([&] { ran = true; });
    blocking([&] {
      while (!ran) std::this_thread::sleep_for(1ms);
    });
  });
}

// Of options, each begins on a stack of its own size, on the stack of a sibling or not.
TEST(scope_fibers, have_stacks_of_several_sizes) {
  runtime rt({.workers = 1});
  rt.run([&] {
    std::atomic<int> ran{0};
    scope all;
    for (int i = 0; i < 50; ++i) {
      fiber_options options;
      options.stack_size = i % 3 == 0 ? 256 * 1024 : 0;
      options.pinned = i % 7 == 0;
      options.fp_env = i % 5 == 0;
      all.spawn(options, [&, i] {
        if (i % 3 == 0) {
          volatile char large[100 * 1024];
          for (auto& each : large) each = 1;
        }
        if (i % 2 == 0) this_fiber::yield();
        ++ran;
      });
    }
    all.join();
    EXPECT_EQ(ran, 50);
  });
}
}  // namespace
}  // namespace weft::test
