#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stack/arena.hpp"
#include "stack/cache.hpp"
#include "support/valgrind.hpp"
#include "unit/stack/fake_platform.hpp"
#include "unit/stack/support.hpp"

using namespace stack_test;

namespace {
class stack_limits : public ::testing::Test {
 protected:
  void SetUp() override { fake::now = {}; }
  void TearDown() override { fake::now = {}; }
};

void expect_names(const std::string& text, std::initializer_list<const char*> words) {
  for (const char* word : words)
    EXPECT_NE(text.find(word), std::string::npos) << word << ": " << text;
}
}  // namespace

TEST_F(stack_limits, this_kernel_or_its_fallback_is_used) {
  auto arena = make_arena(fake::platform);
  EXPECT_NE(arena->tier(), guard_tier::none_yet);
}

TEST_F(stack_limits, old_kernel_falls_back_to_mprotect_within_a_budget) {
  fake::now.guard_advice = false;
  fake::now.map_count = 200;  // 90 guards
  auto arena = make_arena(fake::platform);
  prober probe;
  EXPECT_EQ(arena->tier(), guard_tier::mprotect);
  std::vector<stack> all;
  for (stack s; arena->take(small, &s, 1) == 1;) all.push_back(s);
  EXPECT_EQ(all.size(), 90u);
  for (const stack& s : all) EXPECT_TRUE(probe.guarded(s));
  EXPECT_EQ(arena->last_error().what, shortage::map_count);
  expect_names(exhausted_text(*arena), {"vm.max_map_count = 200", "90", "sysctl"});

  // Usable again as soon as one comes back.
  arena->give(small, &all[40], 1);
  stack s;
  EXPECT_EQ(arena->take(small, &s, 1), 1u);
  EXPECT_EQ(s.hi, all[40].hi);
  EXPECT_EQ(arena->take(small, &s, 1), 0u);
}

TEST_F(stack_limits, permits_follow_the_tier) {
  fake::now.guard_advice = false;
  fake::now.map_count = 200;
  auto arena = make_arena(fake::platform);
  EXPECT_TRUE(arena->acquire_permits(60));
  EXPECT_FALSE(arena->acquire_permits(31));
  expect_names(exhausted_text(*arena), {"vm.max_map_count = 200"});
  EXPECT_FALSE(arena->acquire_permits(~std::size_t{0}));
  EXPECT_TRUE(arena->acquire_permits(30));
  EXPECT_FALSE(arena->acquire_permits(1));
  arena->release_permits(90);
  EXPECT_TRUE(arena->acquire_permits(90));
}

TEST_F(stack_limits, permits_are_plenty_where_guards_cost_no_mapping) {
  auto arena = make_arena(fake::platform);
  if (arena->tier() != guard_tier::madvise) GTEST_SKIP() << "this kernel lacks MADV_GUARD_INSTALL";
  EXPECT_TRUE(arena->acquire_permits(1'000'000));
  EXPECT_FALSE(arena->acquire_permits(most_fibers));
  EXPECT_EQ(arena->last_error().what, shortage::fibers);
  expect_names(exhausted_text(*arena), {std::to_string(most_fibers).c_str()});
}

TEST_F(stack_limits, advice_without_effect_is_not_believed) {
  fake::now.ignore_guard_advice = true;
  auto arena = make_arena(fake::platform);
  prober probe;
  EXPECT_EQ(arena->tier(), guard_tier::mprotect);
  stack s;
  ASSERT_EQ(arena->take(small, &s, 1), 1u);
  EXPECT_TRUE(probe.guarded(s));
}

TEST_F(stack_limits, no_way_to_guard_means_no_stack) {
  fake::now.ignore_guard_advice = fake::now.ignore_protect = true;
  auto arena = make_arena(fake::platform);
  stack s;
  EXPECT_EQ(arena->tier(), guard_tier::none_yet);
  EXPECT_EQ(arena->take(small, &s, 1), 0u);
  EXPECT_FALSE(arena->acquire_permits(1));
  expect_names(exhausted_text(*arena), {"never runs a fiber without"});
}

TEST_F(stack_limits, larger_pages_mean_no_stack) {
  fake::now.page_bytes = 64 * 1024;
  auto arena = make_arena(fake::platform);
  EXPECT_EQ(arena->tier(), guard_tier::none_yet);
  EXPECT_FALSE(arena->acquire_permits(1));
  expect_names(exhausted_text(*arena), {"pages have 64 KiB", "4 KiB"});
}

TEST_F(stack_limits, without_vectored_advice_guards_go_one_by_one) {
  fake::now.vectored = false;
  auto arena = make_arena(fake::platform);
  prober probe;
  stack all[20];
  ASSERT_EQ(arena->take(small, all, 20), 20u);
  for (const stack& s : all) EXPECT_TRUE(probe.guarded(s));
}

TEST_F(stack_limits, vectored_advice_takes_one_call_a_batch) {
  if (weft::test::on_valgrind()) GTEST_SKIP() << "Valgrind 3.19 lacks process_madvise";
  auto arena = make_arena(fake::platform);
  stack all[32];
  ASSERT_EQ(arena->take(small, all, 1), 1u);
  if (arena->tier() != guard_tier::madvise) GTEST_SKIP() << "this kernel lacks MADV_GUARD_INSTALL";
  const auto before = fake::now;
  ASSERT_EQ(arena->take(small, all, 32), 32u);
  EXPECT_EQ(fake::now.vectors, before.vectors + 1);
  if (fake::now.advises != before.advises) GTEST_SKIP() << "this kernel lacks PIDFD_SELF";
}

// Locked memory (mlockall) refuses markers with EINVAL: guards already there stay, later ones are
// mappings.
TEST_F(stack_limits, markers_refused_later_turn_to_mprotect) {
  fake::now.vectored = false;
  fake::now.map_count = 20;  // 9 guards
  auto arena = make_arena(fake::platform);
  if (arena->tier() != guard_tier::madvise) GTEST_SKIP() << "this kernel lacks MADV_GUARD_INSTALL";
  stack all[30];
  ASSERT_EQ(arena->take(small, all, 5), 5u);
  fake::now.guard_advice = false;
  prober probe;
  ASSERT_EQ(arena->take(small, all + 5, 25), 9u);
  EXPECT_EQ(arena->tier(), guard_tier::mprotect);
  for (int i = 0; i < 14; ++i) EXPECT_TRUE(probe.guarded(all[i]));
  EXPECT_EQ(arena->take(small, all, 1), 0u);
  EXPECT_TRUE(arena->acquire_permits(14));
  EXPECT_FALSE(arena->acquire_permits(1));
}

// Each call of each kind is refused in turn. Whatever was handed out must be guarded; a refusal
// must leave a text, give back what it mapped, and the next attempt must work.
enum class call { map, advise, protect };

class nth_failure : public stack_limits, public ::testing::WithParamInterface<call> {};

TEST_P(nth_failure, is_a_clean_error_and_passes) {
  const bool by_mprotect = GetParam() == call::protect;
  prober probe;
  int failures = 0;
  for (int nth = 1; nth <= 20; ++nth) {
    fake::now = {};
    fake::now.vectored = false;  // so that single guards are refused, too
    fake::now.guard_advice = !by_mprotect;
    (GetParam() == call::map      ? fake::now.refuse_map
     : GetParam() == call::advise ? fake::now.refuse_advise
                                  : fake::now.refuse_protect) = nth;
    auto arena = make_arena(fake::platform);
    std::vector<stack> all;
    for (int i = 0; i < 4; ++i) {
      stack some[4];
      const std::size_t got = arena->take(small, some, 4);
      if (got < 4) ++failures;
      if (got == 0) {
        EXPECT_NE(arena->last_error().what, shortage::none);
        EXPECT_FALSE(exhausted_text(*arena).empty());
      }
      all.insert(all.end(), some, some + got);
    }
    ASSERT_GE(all.size(), 8u) << nth;
    for (const stack& s : all) ASSERT_TRUE(probe.guarded(s)) << nth;
    EXPECT_EQ(arena->stats().in_use, all.size());
    arena->give(small, all.data(), all.size());
    EXPECT_EQ(arena->stats().in_use, 0u);
    EXPECT_TRUE(arena->acquire_permits(1));
  }
  EXPECT_GT(failures, 0);
}

INSTANTIATE_TEST_SUITE_P(calls, nth_failure,
                         ::testing::Values(call::map, call::advise, call::protect));

TEST_F(stack_limits, refused_mappings_name_every_limit_that_can_cause_it) {
  auto arena = make_arena(fake::platform);
  ASSERT_NE(arena->tier(), guard_tier::none_yet);
  fake::now.refuse_map = 1;
  fake::now.refuse_for_good = true;
  stack s;
  EXPECT_EQ(arena->take(small, &s, 1), 0u);
  EXPECT_EQ(arena->last_error().error, ENOMEM);
  expect_names(exhausted_text(*arena), {"ulimit -v", "vm.max_map_count = 65530",
                                        "vm.overcommit_memory = ", "runtime_options::stack_size",
                                        "fiber_options::stack_size"});
  EXPECT_EQ(arena->stats().mapped_bytes, 0u);
  fake::now.refuse_map = 0;
  EXPECT_EQ(arena->take(small, &s, 1), 1u);
}

TEST_F(stack_limits, a_refused_chunk_is_tried_smaller) {
  auto arena = make_arena(fake::platform);
  stack all[900];
  ASSERT_EQ(arena->take(small, all, 1), 1u);  // 64 MiB; the next would be 128 MiB
  fake::now.refuse_map = 1;
  std::size_t got = 1;
  while (got < 900) {
    const std::size_t more = arena->take(small, all + got, 900 - got);
    ASSERT_GT(more, 0u);
    got += more;
  }
  EXPECT_EQ(fake::now.refuse_map, 0);
  EXPECT_EQ(arena->stats().mapped_bytes, 2 * smallest_chunk);
}

TEST_F(stack_limits, a_cache_passes_exhaustion_on_and_recovers) {
  fake::now.guard_advice = false;
  fake::now.map_count = 23;  // 10 guards
  auto arena = make_arena(fake::platform);
  stack_cache cache(*arena);
  std::vector<stack> all;
  for (stack s; (s = cache.take(small));) all.push_back(s);
  EXPECT_EQ(all.size(), 10u);
  cache.give(small, all.back());
  EXPECT_EQ(cache.take(small).hi, all.back().hi);
  EXPECT_FALSE(cache.take(small));
  for (const stack& s : all) cache.give(small, s);
}

TEST_F(stack_limits, a_slot_whose_guard_was_refused_is_not_lost) {
  fake::now.vectored = false;
  auto arena = make_arena(fake::platform);
  stack first;
  stack second;
  ASSERT_EQ(arena->take(small, &first, 1), 1u);
  fake::now.refuse_advise = fake::now.refuse_protect = 1;
  ASSERT_EQ(arena->take(small, &second, 1), 0u);
  ASSERT_EQ(arena->take(small, &second, 1), 1u);
  EXPECT_EQ(second.lo - first.lo, static_cast<std::ptrdiff_t>(slot_bytes(small)));
}
