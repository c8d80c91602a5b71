#include <gtest/gtest.h>
#include <sys/mman.h>

#include <vector>

#include "stack/arena.hpp"
#include "unit/stack/fake_platform.hpp"
#include "unit/stack/support.hpp"

using namespace stack_test;

// Memory of idle stacks goes back to the kernel. The clock stands still unless a test moves it.
namespace {
class stack_trim : public ::testing::Test {
 protected:
  void SetUp() override { fake::now = {}; }
  void TearDown() override { fake::now = {}; }
};

// Resident pages of [lo, hi rounded up).
std::size_t resident(const stack& s) {
  const auto bytes =
      (static_cast<std::size_t>(s.hi - s.lo) + page_size - 1) / page_size * page_size;
  std::vector<unsigned char> pages(bytes / page_size);
  EXPECT_EQ(::mincore(s.lo, bytes, pages.data()), 0);
  std::size_t n = 0;
  for (const unsigned char page : pages) n += page & 1u;
  return n;
}

std::size_t resident(const std::vector<stack>& all) {
  std::size_t n = 0;
  for (const stack& s : all) n += resident(s);
  return n;
}
}  // namespace

TEST_F(stack_trim, idle_memory_goes_back_in_two_steps_and_the_guard_stays) {
  auto arena = make_arena(fake::platform);
  prober probe;
  const stack s = take_all(*arena, usual, 1).at(0);
  for (std::byte* at = s.lo; at < s.hi; at += page_size) *at = std::byte{1};
  EXPECT_EQ(resident(s), 65u);
  arena->give(usual, &s, 1);
  arena->trim();  // the first trim sees it idle
  EXPECT_EQ(resident(s), 65u);
  arena->trim();
  EXPECT_EQ(resident(s), 1u);
  arena->trim();
  EXPECT_EQ(resident(s), 0u);
  EXPECT_EQ(arena->stats().cached, 1u);
  const stack again = take_all(*arena, usual, 1).at(0);
  EXPECT_EQ(again.hi, s.hi);
  EXPECT_EQ(*again.lo, std::byte{0});
  EXPECT_TRUE(probe.guarded(again));
}

TEST_F(stack_trim, what_is_taken_between_trims_keeps_its_memory) {
  auto arena = make_arena(fake::platform);
  const stack s = take_all(*arena, usual, 1).at(0);
  s.lo[0] = s.hi[-1] = std::byte{1};
  for (int round = 0; round < 5; ++round) {
    arena->give(usual, &s, 1);
    arena->trim();
    EXPECT_EQ(take_all(*arena, usual, 1).at(0).hi, s.hi);
  }
  EXPECT_EQ(resident(s), 2u);
}

TEST_F(stack_trim, a_surplus_beyond_one_batch_goes_back_whole) {
  auto arena = make_arena(fake::platform);
  const auto all = take_all(*arena, usual, 300);
  for (const stack& s : all) s.lo[0] = s.hi[-1] = std::byte{1};
  arena->give(usual, all.data(), 150);
  arena->trim();
  arena->trim();  // these 150 are down to their top pages
  EXPECT_EQ(resident(all), 150u + 150u * 2);
  arena->trim();  // and now to nothing
  EXPECT_EQ(resident(all), 150u * 2);
  EXPECT_EQ(arena->stats().cached, 150u);
  EXPECT_EQ(take_all(*arena, usual, 150).size(), 150u);
  EXPECT_EQ(arena->stats().cached, 0u);
  EXPECT_EQ(arena->stats().in_use, 300u);
}

// Without anybody calling trim(): a second later each give() moves one portion of what was idle.
TEST_F(stack_trim, give_returns_a_portion_each_time) {
  auto arena = make_arena(fake::platform);
  auto all = take_all(*arena, usual, 201);
  for (const stack& s : all) s.lo[0] = s.hi[-1] = std::byte{1};
  const stack last = all.back();
  all.pop_back();
  arena->give(usual, all.data(), all.size());
  const auto touch = [&] {
    arena->give(usual, &last, 1);
    stack again;
    ASSERT_EQ(arena->take(usual, &again, 1), 1u);
    ASSERT_EQ(again.hi, last.hi);
  };
  touch();
  EXPECT_EQ(resident(all), 400u);
  fake::now.clock += 1'000'000'000;
  touch();  // the period in which they came has ended
  EXPECT_EQ(resident(all), 400u);
  fake::now.clock += 1'000'000'000;
  touch();
  EXPECT_EQ(resident(all), 400u - 64);
  touch();
  touch();
  EXPECT_EQ(resident(all), 400u - 192);
  touch();
  touch();
  EXPECT_EQ(resident(all), 200u);  // top pages
  fake::now.clock += 1'000'000'000;
  for (int i = 0; i < 4; ++i) touch();
  EXPECT_EQ(resident(all), 0u);
}

// Two monitors and those who give, within a second: one period.
TEST_F(stack_trim, a_period_ends_once_a_second_whoever_asks) {
  auto arena = make_arena(fake::platform);
  const stack s = take_all(*arena, usual, 1).at(0);
  s.lo[0] = s.hi[-1] = std::byte{1};
  arena->give(usual, &s, 1);
  const auto tidy = [&] {
    for (int monitors = 0; monitors < 2; ++monitors) {
      arena->end_period();
      while (arena->release_some()) {
      }
    }
  };
  tidy();
  for (const std::size_t left : {2u, 1u, 0u}) {
    fake::now.clock += 1'000'000'000;
    tidy();
    EXPECT_EQ(resident(s), left);
    fake::now.clock += 999'999'999;
    tidy();
    EXPECT_EQ(resident(s), left);
    fake::now.clock -= 999'999'999;
  }
}

TEST_F(stack_trim, is_done_in_portions) {
  auto arena = make_arena(fake::platform);
  const auto all = take_all(*arena, usual, 100);
  arena->give(usual, all.data(), all.size());
  for (int period = 0; period < 2; ++period) {
    fake::now.clock += 1'000'000'000;
    arena->end_period();
  }
  EXPECT_TRUE(arena->release_some());
  EXPECT_TRUE(arena->release_some());
  EXPECT_FALSE(arena->release_some());
}
