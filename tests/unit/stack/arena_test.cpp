#include "stack/arena.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <set>
#include <vector>

#include "unit/stack/support.hpp"

using namespace stack_test;

TEST(stack_arena, every_stack_is_guarded_usable_and_apart) {
  stack_arena& arena = stack_arena::instance();
  prober probe;
  for (stack_class c = stack_class_for(1); c < stack_classes; ++c) {
    const auto all = take_all(arena, c, c < 9 ? 70 : 3);
    ASSERT_FALSE(all.empty());
    std::set<std::byte*> tops;
    for (const stack& s : all) {
      EXPECT_TRUE(s);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(s.lo) % page_size, 0u);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(s.hi) % 16, 0u);
      s.lo[0] = s.hi[-1] = std::byte{1};
      tops.insert(s.hi);
    }
    EXPECT_EQ(tops.size(), all.size());
    for (std::size_t i = 0; i < all.size(); i += 7)
      EXPECT_TRUE(probe.guarded(all[i])) << unsigned{c};
    arena.give(c, all.data(), all.size());
  }
}

TEST(stack_arena, colours_differ_and_stay_within_the_top_page) {
  auto arena = make_arena(real_platform);
  std::set<std::size_t> colours;
  for (const stack& s : take_all(*arena, usual, 64)) {
    const std::size_t slack =
        stack_class_bytes(usual) + page_size - static_cast<std::size_t>(s.hi - s.lo);
    EXPECT_LE(slack, 1024u);
    EXPECT_EQ(slack % 64, 0u);
    colours.insert(slack);
  }
  EXPECT_EQ(colours.size(), 16u);
}

TEST(stack_arena, recycles_before_it_makes_new_ones) {
  auto arena = make_arena(real_platform);
  const auto first = take_all(*arena, usual, 50);
  EXPECT_EQ(arena->stats().in_use, 50u);
  arena->give(usual, first.data(), first.size());
  EXPECT_EQ(arena->stats().in_use, 0u);
  EXPECT_EQ(arena->stats().cached, 50u);
  std::set<std::byte*> known;
  for (const stack& s : first) known.insert(s.hi);
  for (const stack& s : take_all(*arena, usual, 50)) EXPECT_EQ(known.count(s.hi), 1u);
  EXPECT_EQ(arena->stats().cached, 0u);
  EXPECT_EQ(arena->stats().mapped_bytes, smallest_chunk);
}

TEST(stack_arena, finds_the_stack_of_an_address_and_of_its_guard) {
  auto arena = make_arena(real_platform);
  const auto all = take_all(*arena, usual, 500);  // more than the first chunk holds
  EXPECT_GT(arena->stats().mapped_bytes, smallest_chunk);
  for (const stack& s : all) {
    for (const std::byte* at : {s.lo - guard_size, s.lo - 1, s.lo, s.hi - 1}) {
      stack found;
      ASSERT_TRUE(arena->find(at, &found));
      EXPECT_EQ(found.lo, s.lo);
      EXPECT_EQ(found.hi, s.hi);
    }
  }
  stack found;
  int local = 0;
  EXPECT_FALSE(arena->find(&local, &found));
  EXPECT_FALSE(arena->find(nullptr, &found));
  EXPECT_FALSE(arena->find(reinterpret_cast<void*>(~std::uintptr_t{0}), &found));
}

TEST(stack_arena, does_not_find_a_slot_never_handed_out) {
  auto arena = make_arena(real_platform);
  const stack only = take_all(*arena, usual, 1).at(0);
  stack found;
  EXPECT_TRUE(arena->find(only.lo, &found));
  EXPECT_FALSE(arena->find(only.lo + slot_bytes(usual), &found));
}

TEST(stack_arena_death, an_overflow_dies_by_sigsegv) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto overflow = [] {
    std::signal(SIGSEGV, SIG_DFL);
    stack s;
    if (stack_arena::instance().take(usual, &s, 1) != 1) std::_Exit(3);
    *static_cast<volatile std::byte*>(s.lo) = std::byte{1};
    *static_cast<volatile std::byte*>(s.lo - 1) = std::byte{1};
    std::_Exit(4);
  };
  EXPECT_EXIT(overflow(), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST(stack_arena_death, giving_back_twice_is_fatal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto twice = [] {
    stack s;
    if (stack_arena::instance().take(usual, &s, 1) != 1) std::_Exit(3);
    stack_arena::instance().give(usual, &s, 1);
    stack_arena::instance().give(usual, &s, 1);
  };
  EXPECT_DEATH(twice(), "given back twice");
}

TEST(stack_arena_death, giving_back_to_the_wrong_class_is_fatal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto wrong = [] {
    stack s;
    if (stack_arena::instance().take(usual, &s, 1) != 1) std::_Exit(3);
    stack_arena::instance().give(static_cast<stack_class>(usual + 1), &s, 1);
  };
  EXPECT_DEATH(wrong(), "not a stack of size class");
}
