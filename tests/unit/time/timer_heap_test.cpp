#include "time/timer_heap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace weft::detail {
namespace {

using heap = timer_heap<int>;

std::vector<int> expire(heap& h, std::int64_t now) {
  std::vector<int> fired;
  const std::size_t n = h.expire(now, [&](int payload) { fired.push_back(payload); });
  EXPECT_EQ(n, fired.size());
  return fired;
}

TEST(timer_heap, empty_never_expires) {
  heap h;
  EXPECT_EQ(h.earliest(), never);
  EXPECT_EQ(h.size(), 0U);
  EXPECT_TRUE(expire(h, never).empty());
}

TEST(timer_heap, expires_at_its_deadline_and_not_before) {
  heap h;
  h.push(100, 1);
  EXPECT_EQ(h.earliest(), 100);
  EXPECT_TRUE(expire(h, 99).empty());
  EXPECT_EQ(expire(h, 100), (std::vector<int>{1}));
  EXPECT_EQ(h.earliest(), never);
}

TEST(timer_heap, past_and_negative_deadlines_are_due) {
  heap h;
  h.push(-5, 1);
  h.push(std::numeric_limits<std::int64_t>::min(), 2);
  EXPECT_EQ(h.earliest(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(expire(h, 0), (std::vector<int>{2, 1}));
}

TEST(timer_heap, never_does_not_come) {
  heap h;
  h.push(never, 1);
  h.push(never - 1, 2);
  EXPECT_EQ(expire(h, never), (std::vector<int>{2}));
  EXPECT_EQ(h.size(), 1U);
  EXPECT_EQ(h.earliest(), never);
}

TEST(timer_heap, all_of_one_deadline_expire_together) {
  heap h;
  for (int i = 0; i < 100; ++i) h.push(7, i);
  h.push(8, 1000);
  std::vector<int> fired = expire(h, 7);
  std::sort(fired.begin(), fired.end());
  ASSERT_EQ(fired.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(fired[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(h.size(), 1U);
}

TEST(timer_heap, a_callback_may_push) {
  heap h;
  h.push(1, 3);
  std::vector<int> fired;
  h.expire(10, [&](int payload) {
    fired.push_back(payload);
    if (payload > 0) h.push(payload == 1 ? 11 : 10, payload - 1);
  });
  EXPECT_EQ(fired, (std::vector<int>{3, 2, 1})) << "what is due at once expires in the same call";
  EXPECT_EQ(h.earliest(), 11);
}

TEST(timer_heap, should_compact_only_when_most_are_stale_and_it_is_worth_it) {
  heap small;
  for (int i = 0; i < 10; ++i) small.push(i, i);
  for (int i = 0; i < 10; ++i) small.note_stale();
  EXPECT_FALSE(small.should_compact()) << "a handful is not worth a sweep";

  heap h;
  for (int i = 0; i < 100; ++i) h.push(i, i);
  for (int i = 0; i < 50; ++i) h.note_stale();
  EXPECT_FALSE(h.should_compact()) << "exactly half is not more than half";
  h.note_stale();
  EXPECT_TRUE(h.should_compact());
  h.compact([](int) { return false; });
  EXPECT_EQ(h.size(), 100U);
  EXPECT_FALSE(h.should_compact()) << "a sweep starts the count anew";
}

TEST(timer_heap, stale_entries_that_expire_do_not_leave_a_debt) {
  heap h;
  for (int i = 0; i < 100; ++i) h.push(0, i);
  for (int i = 0; i < 100; ++i) h.note_stale();
  expire(h, 0);
  for (int i = 0; i < 100; ++i) h.push(1, i);
  EXPECT_FALSE(h.should_compact());
}

TEST(timer_heap, compact_drops_exactly_the_stale) {
  for (int n = 0; n < 40; ++n) {
    heap h;
    for (int i = 0; i < n; ++i) h.push((i * 7919) % 101, i);
    h.compact([](int payload) { return payload % 3 != 0; });
    EXPECT_EQ(h.size(), static_cast<std::size_t>((n + 2) / 3));
    std::int64_t last = -1;
    while (h.size() > 0) {
      const std::int64_t at = h.earliest();
      EXPECT_GE(at, last) << "out of order after a sweep of " << n;
      last = at;
      for (const int payload : expire(h, at)) EXPECT_EQ(payload % 3, 0);
    }
  }
}

// Against a std::multimap: random pushes, expiries and sweeps.
TEST(timer_heap, agrees_with_an_oracle) {
  constexpr unsigned seed = 20240611;
  std::mt19937 random(seed);
  heap h;
  std::multimap<std::int64_t, int> oracle;
  std::int64_t now = 0;
  int next = 0;
  for (int step = 0; step < 200'000; ++step) {
    const auto what = random() % 100;
    if (what < 60) {
      const std::int64_t deadline = now + static_cast<std::int64_t>(random() % 1000);
      h.push(deadline, next);
      oracle.emplace(deadline, next++);
    } else if (what < 99) {
      now += static_cast<std::int64_t>(random() % 20);
      std::vector<int> fired = expire(h, now);
      std::vector<int> expected;
      std::int64_t last = std::numeric_limits<std::int64_t>::min();
      for (auto it = oracle.begin(); it != oracle.end() && it->first <= now;) {
        EXPECT_GE(it->first, last);
        last = it->first;
        expected.push_back(it->second);
        it = oracle.erase(it);
      }
      std::sort(fired.begin(), fired.end());
      std::sort(expected.begin(), expected.end());
      ASSERT_EQ(fired, expected) << "seed " << seed << ", step " << step;
    } else {
      const int modulus = static_cast<int>(random() % 5) + 2;
      h.compact([&](int payload) { return payload % modulus == 0; });
      std::erase_if(oracle, [&](const auto& e) { return e.second % modulus == 0; });
    }
    ASSERT_EQ(h.size(), oracle.size()) << "seed " << seed << ", step " << step;
    ASSERT_EQ(h.earliest(), oracle.empty() ? never : oracle.begin()->first)
        << "seed " << seed << ", step " << step;
  }
}

}  // namespace
}  // namespace weft::detail
