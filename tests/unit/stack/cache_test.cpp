#include "stack/cache.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <thread>
#include <vector>

#include "unit/stack/support.hpp"

using namespace stack_test;

TEST(stack_cache, last_given_is_first_taken) {
  auto arena = make_arena(real_platform);
  stack_cache cache(*arena);
  const stack a = cache.take(usual);
  const stack b = cache.take(usual);
  ASSERT_TRUE(a && b);
  EXPECT_NE(a.hi, b.hi);
  cache.give(usual, b);
  cache.give(usual, a);
  EXPECT_EQ(cache.take(usual).hi, a.hi);
  EXPECT_EQ(cache.take(usual).hi, b.hi);
}

TEST(stack_cache, classes_do_not_mix) {
  auto arena = make_arena(real_platform);
  stack_cache cache(*arena);
  const stack a = cache.take(small);
  const stack b = cache.take(usual);
  EXPECT_LE(a.hi - a.lo, static_cast<std::ptrdiff_t>(stack_class_bytes(small) + page_size));
  EXPECT_GT(b.hi - b.lo, 255 * 1024 - 1);
  cache.give(small, a);
  cache.give(usual, b);
  EXPECT_EQ(cache.take(usual).hi, b.hi);
  EXPECT_EQ(cache.take(small).hi, a.hi);
}

TEST(stack_cache, refills_and_spills_lose_nothing_and_stay_bounded) {
  auto arena = make_arena(real_platform);
  stack_cache cache(*arena);
  std::set<std::byte*> tops;
  std::vector<stack> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(cache.take(usual));
    ASSERT_TRUE(all.back());
    EXPECT_TRUE(tops.insert(all.back().hi).second);
  }
  EXPECT_EQ(arena->stats().in_use, 1000 + cache.size());
  EXPECT_LE(cache.size(), 32u);
  for (const stack& s : all) {
    cache.give(usual, s);
    EXPECT_LE(cache.size(), 64u);
  }
  EXPECT_EQ(arena->stats().in_use, cache.size());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(tops.count(cache.take(usual).hi), 1u) << i;
  for (const stack& s : all) cache.give(usual, s);
  cache.flush();
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(arena->stats().in_use, 0u);
}

TEST(stack_cache, a_first_take_guards_few) {
  auto arena = make_arena(real_platform);
  stack_cache cache(*arena);
  ASSERT_TRUE(cache.take(usual));
  EXPECT_LE(arena->stats().in_use, 4u);
}

TEST(stack_cache, its_end_returns_everything) {
  auto arena = make_arena(real_platform);
  {
    stack_cache cache(*arena);
    cache.give(usual, cache.take(usual));
    EXPECT_GT(arena->stats().in_use, 0u);
  }
  EXPECT_EQ(arena->stats().in_use, 0u);
}

// Threads take, mark, check and give through caches of their own: no stack is ever in two hands,
// and in the end all are back. trim() runs beside them, and must not empty a stack that is in use.
TEST(stack_cache, concurrent_use_keeps_each_stack_in_one_hand) {
  constexpr unsigned threads = 4;
  constexpr int rounds = 20'000;
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  auto arena = make_arena(real_platform);
  std::vector<std::thread> all;
  std::vector<int> wrong(threads);
  for (unsigned id = 0; id < threads; ++id) {
    all.emplace_back([&, id] {
      std::minstd_rand random(seed + id);
      stack_cache cache(*arena);
      std::vector<stack> held[2];
      const auto mark = static_cast<std::byte>(id + 1);
      for (int i = 0; i < rounds; ++i) {
        const unsigned which = random() & 1u;
        const stack_class c = which ? usual : small;
        auto& mine = held[which];
        if (mine.size() < 150 && random() % 100 < 52) {
          const stack s = cache.take(c);
          if (!s) {
            ++wrong[id];
            continue;
          }
          s.hi[-1] = s.lo[0] = mark;
          mine.push_back(s);
        } else if (!mine.empty()) {
          const std::size_t at = random() % mine.size();
          const stack s = mine[at];
          if (s.hi[-1] != mark || s.lo[0] != mark) ++wrong[id];
          cache.give(c, s);
          mine[at] = mine.back();
          mine.pop_back();
        }
        if (i % 4096 == 0) arena->trim();
        if (i % 5000 == 4999) cache.flush();
      }
      for (const stack& s : held[0]) cache.give(small, s);
      for (const stack& s : held[1]) cache.give(usual, s);
    });
  }
  for (std::thread& t : all) t.join();
  for (const int n : wrong) EXPECT_EQ(n, 0);
  EXPECT_EQ(arena->stats().in_use, 0u);
}
