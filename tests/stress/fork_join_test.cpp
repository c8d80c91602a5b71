// Trees of fork_joins whose branches compute, park, migrate, block, fail and are stopped, at
// random: every branch that begins ends, before its call returns, and what is counted adds up.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>
#include <weft/fork_join.hpp>
#include <weft/parallel.hpp>
#include <weft/semaphore.hpp>

#include "support/chaotic.hpp"
#include "support/sanitizer.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

struct forking_world {
  std::atomic<long> begun{0};
  std::atomic<long> ended{0};
  bool may_fail;
};

struct failed {};

void rest(choices& mine) {
  switch (mine.below(24)) {
    case 0:
      return this_fiber::yield();
    case 1:
      return this_fiber::sleep_for(std::chrono::microseconds(mine.below(50)));
    case 2:
      return blocking([] { std::this_thread::yield(); });
    case 3: {
      fiber child([] { this_fiber::yield(); });
      return child.join();
    }
    case 4: {
      binary_semaphore done(0);
      fiber child([&] { done.release(); });
      return done.acquire();
    }
    default:
      return;
  }
}

// Returns the number of leaves below, which is what the choices say.
long grow(forking_world& w, choices mine, int depth) {
  struct counted {
    forking_world& w;
    explicit counted(forking_world& in) : w(in) { ++w.begun; }
    ~counted() { ++w.ended; }
  } const count(w);
  rest(mine);
  if (w.may_fail && mine.one_in(300)) throw failed();
  if (depth == 0 || mine.one_in(10)) return 1;
  long a = 0, b = 0, c = 0;
  const choices first = mine.split(), second = mine.split(), third = mine.split();
  const auto leaves = [&w, depth](const choices& from) { return grow(w, from, depth - 1); };
  if (mine.one_in(3)) {
    fork_join([&] { a = leaves(first); }, [&] { b = leaves(second); }, [&] { c = leaves(third); });
  } else {
    fork_join([&] { a = leaves(first); }, [&] { b = leaves(second); });
  }
  rest(mine);
  return a + b + c;
}

class fork_join_stress : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(all, fork_join_stress, testing::Values(1u, 2u, 4u),
                         testing::PrintToStringParamName());

int depth_here() {
  return chaotic() || sanitized || emulated() ? 5 : 8;
}

TEST_P(fork_join_stress, every_branch_is_counted_once) {
  runtime rt({.workers = GetParam()});
  const budget time;
  std::uint64_t from = seed();
  do {
    forking_world w{.may_fail = false};
    const long first = rt.run([&] { return grow(w, choices(from), depth_here()); });
    EXPECT_EQ(w.begun, w.ended);
    const long once_more = rt.run([&] { return grow(w, choices(from), depth_here()); });
    EXPECT_EQ(first, once_more);
    EXPECT_EQ(w.begun, w.ended);
    ++from;
  } while (time.left());
}

TEST_P(fork_join_stress, nothing_outlives_a_failure_or_a_stop) {
  runtime rt({.workers = GetParam()});
  const budget time;
  choices mine(seed());
  do {
    rt.run([&] {
      forking_world w{.may_fail = true};
      bool stopped = false;
      const choices from = mine.split();
      {
        fiber tree([&] {
          try {
            grow(w, from, depth_here());
          } catch (const failed&) {
          }
          stopped = w.begun != w.ended;
        });
        this_fiber::sleep_for(std::chrono::microseconds(mine.below(300)));
        if (mine.one_in(2)) tree.request_stop();
        tree.join();
      }
      EXPECT_FALSE(stopped);
      EXPECT_EQ(w.begun, w.ended);
    });
  } while (time.left());
}

TEST_P(fork_join_stress, loops_and_trees_at_once) {
  runtime rt({.workers = GetParam()});
  const budget time;
  std::uint64_t from = seed();
  rt.run([&] {
    do {
      forking_world w{.may_fail = false};
      std::vector<std::atomic<int>> visits(2000);
      fork_join([&] { grow(w, choices(from), depth_here() - 1); },
                [&] { parallel_for(visits, [](auto& n) { ++n; }); },
                [&] {
                  EXPECT_EQ(
                      parallel_reduce(0, 2000, 0L, std::plus(), [](int i) { return long{i}; }),
                      1'999'000);
                });
      for (const auto& n : visits) EXPECT_EQ(n, 1);
      EXPECT_EQ(w.begun, w.ended);
      ++from;
    } while (time.left());
  });
}
}  // namespace
}  // namespace weft::test
