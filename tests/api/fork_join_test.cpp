// fork_join: every branch runs once, by whoever comes first; what may stand between its beginning
// and its end; how deep it may go; who may call it.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>
#include <weft/event.hpp>
#include <weft/fork_join.hpp>

#include "support/chaotic.hpp"
#include "support/fibers.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

std::uint64_t fib(int n) {
  if (n < 2) return static_cast<std::uint64_t>(n);
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  fork_join([&] { a = fib(n - 1); }, [&] { b = fib(n - 2); });
  return a + b;
}

// Waits without giving way, for what only another worker can do.
template <class Condition>
void insist(Condition&& condition) {
  while (!condition()) std::this_thread::yield();
}

class fork_join_workers : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(all, fork_join_workers, testing::Values(1u, 2u, 4u),
                         testing::PrintToStringParamName());

TEST_P(fork_join_workers, computes) {
  const int n = chaotic() || detail::thread_sanitizer ? 10 : 20;
  const std::uint64_t expected = n == 10 ? 55 : 6765;
  for (int i = 0; i < times(20); ++i) EXPECT_EQ(rt.run([&] { return fib(n); }), expected);
}

TEST_P(fork_join_workers, runs_each_branch_once) {
  rt.run([] {
    std::atomic<int> ran[5] = {};
    for (int i = 0; i < times(200); ++i) {
      fork_join([&] { ++ran[0]; }, [&] { ++ran[1]; }, [&] { ++ran[2]; }, [&] { ++ran[3]; },
                [&] { ++ran[4]; });
      for (const auto& count : ran) EXPECT_EQ(count, i + 1);
    }
  });
}

TEST_P(fork_join_workers, branches_park_yield_sleep_join_and_block) {
  rt.run([&] {
    for (int i = 0; i < times(20); ++i) {
      std::atomic<int> done{0};
      const auto yields = [&] {
        for (int k = 0; k < 10; ++k) this_fiber::yield();
        ++done;
      };
      const auto sleeps = [&] {
        this_fiber::sleep_for(100us);
        ++done;
      };
      const auto joins = [&] {
        fiber child(yields);
        child.join();
        ++done;
      };
      const auto blocks = [&] {
        blocking([] { std::this_thread::yield(); });
        ++done;
      };
      fork_join(yields, sleeps, joins, blocks, [&] { fork_join(blocks, sleeps, joins, yields); });
      EXPECT_EQ(done, 10);
    }
  });
}

// Nobody may rely on an order: each waits for all others.
TEST_P(fork_join_workers, branches_wait_for_one_another) {
  rt.run([&] {
    for (int i = 0; i < times(50); ++i) {
      std::atomic<int> arrived{0};
      const auto meet = [&] {
        ++arrived;
        until([&] { return arrived == 4; });
      };
      fork_join(meet, meet, [&] { fork_join(meet, meet); });
      EXPECT_EQ(arrived, 4);
    }
  });
}

TEST_P(fork_join_workers, nests_in_fibers_that_run_at_once) {
  rt.run([&] {
    std::vector<std::uint64_t> results(16);
    std::vector<fiber> fibers;
    for (auto& result : results) {
      fibers.emplace_back([&result] {
        for (int i = 0; i < 5; ++i) {
          result = fib(8);
          this_fiber::yield();
        }
      });
    }
    for (fiber& f : fibers) f.join();
    for (const auto result : results) EXPECT_EQ(result, 21u);
  });
}

// Linear recursion, deeper than a stack: every half stack goes on on another one.
void descend(int depth, std::atomic<int>& leaves, int until_taken = 0) {
  if (depth == 0) return insist([&] { return leaves >= until_taken; });
  fork_join([&] { descend(depth - 1, leaves, until_taken); }, [&] { ++leaves; });
}

TEST_P(fork_join_workers, recurses_beyond_a_small_stack) {
  const int depth = chaotic() || detail::thread_sanitizer ? 300 : 3000;
  rt.run([&] {
    std::atomic<int> leaves{0};
    fiber f({.stack_size = 32 * 1024}, [&] { descend(depth, leaves); });
    f.join();
    EXPECT_EQ(leaves, depth);
  });
}

// A large stack holds more branches than a lane.
TEST_P(fork_join_workers, recurses_beyond_the_lane) {
  const int depth = chaotic() || detail::thread_sanitizer ? 300 : 10'000;
  rt.run([&] {
    std::atomic<int> leaves{0};
    const int taken = GetParam() > 1 ? 50 : 0;  // by others, while all lie there
    fiber f({.stack_size = 16 << 20}, [&] { descend(depth, leaves, taken); });
    f.join();
    EXPECT_EQ(leaves, depth);
  });
}

TEST(fork_join, another_worker_takes_a_branch) {
  runtime rt({.workers = 2});
  rt.run([] {
    for (int i = 0; i < times(50); ++i) {
      std::atomic<bool> begun{false};
      fork_join([&] { insist([&] { return begun.load(); }); }, [&] { begun = true; });
    }
  });
}

// The last branch first, and the caller gets on with what is left.
TEST(fork_join, all_workers_take_part) {
  runtime rt({.workers = 4});
  rt.run([] {
    for (int i = 0; i < times(20); ++i) {
      std::atomic<int> inside{0};
      const auto meet = [&] {
        ++inside;
        insist([&] { return inside == 4; });
      };
      fork_join(meet, meet, meet, meet);
    }
  });
}

TEST(fork_join, one_worker_calls_in_order_on_one_fiber) {
  if (chaotic() || detail::thread_sanitizer) GTEST_SKIP() << "each branch is a fiber there";
  runtime rt({.workers = 1});
  rt.run([&] {
    std::vector<int> order;
    const auto me = this_fiber::get_id();
    const auto note = [&](int n) {
      EXPECT_EQ(this_fiber::get_id(), me);
      order.push_back(n);
    };
    fork_join([&] { note(1); }, [&] { fork_join([&] { note(2); }, [&] { note(3); }); },
              [&] { note(4); });
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
    EXPECT_EQ(rt.stats().fibers_spawned, 1u);
  });
}

TEST(fork_join, a_branch_that_parks_lets_the_others_begin) {
  runtime rt({.workers = 1});
  rt.run([] {
    event second;
    fork_join([&] { second.wait(); }, [&] { second.set(); });
    // Of an outer call, too; and entering blocking() counts.
    bool outer = false;
    fork_join([&] { fork_join([&] { until([&] { return outer; }); }, [] {}); },
              [&] { outer = true; });
  });
}

TEST(fork_join, blocking_lets_the_others_begin_elsewhere) {
  runtime rt({.workers = 2});
  rt.run([] {
    std::atomic<bool> second{false};
    fork_join([&] { blocking([&] { insist([&] { return second.load(); }); }); },
              [&] { second = true; });
  });
}

TEST(fork_join, takes_any_callable) {
  runtime rt({.workers = 2});
  static std::atomic<int> called{0};
  called = 0;
  struct move_only {
    std::unique_ptr<int> owned = std::make_unique<int>(7);
    int operator()() && { return called += *owned; }
  };
  struct constant {
    int operator()() const { return ++called; }
  };
  rt.run([] {
    void (*const pointer)() = [] { ++called; };
    const constant c;
    std::function<void()> f = [] { ++called; };
    fork_join(pointer, c, f, move_only{}, *pointer, std::ref(f));
    EXPECT_EQ(called, 12);
    fork_join();
    fork_join(move_only{});
    EXPECT_EQ(called, 19);
  });
}

TEST(fork_join, on_a_kernel_thread_runs_on_the_default_runtime) {
  std::uint64_t result = 0;
  bool fibers = false;
  fork_join([&] { result = fib(10); }, [&] { fibers = this_fiber::get_id() != fiber::id(); });
  EXPECT_EQ(result, 55u);
  EXPECT_TRUE(fibers);
  EXPECT_THROW(fork_join([] { throw 1; }, [] {}), int);
  runtime rt({.workers = 1});
  rt.run([&] { blocking([&] { fork_join([&] { result = fib(8); }, [] {}); }); });
  EXPECT_EQ(result, 21u);
}

TEST(fork_join, branches_inherit_the_deadline) {
  for (const unsigned workers : {1u, 2u}) {
    runtime rt({.workers = workers});
    rt.run([] {
      const deadline_scope limit(10ms);
      std::atomic<int> expired{0};
      const auto wait = [&] {
        try {
          this_fiber::sleep_for(1h);
        } catch (const deadline_exceeded&) {
          ++expired;
        }
      };
      fork_join(wait, wait, [&] { fork_join(wait, wait); });
      EXPECT_EQ(expired, 4);
    });
  }
}

TEST(fork_join, a_stolen_branch_has_the_callers_stack_size) {
  if (detail::address_sanitizer) GTEST_SKIP() << "its frames are larger";
  runtime rt({.workers = 2, .stack_size = 32 * 1024});
  rt.run([] {
    fiber large({.stack_size = 4 << 20}, [] {
      std::atomic<bool> begun{false};
      fork_join([&] { insist([&] { return begun.load(); }); },
                [&] {
                  volatile char used[1 << 20];
                  for (std::size_t i = 0; i < sizeof used; i += 1024) used[i] = 1;
                  begun = true;
                });
    });
    large.join();
  });
}
}  // namespace
}  // namespace weft::test
