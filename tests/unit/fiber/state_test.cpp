#include "fiber/state.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace weft::detail {
namespace {
TEST(wait_word, one_claim_of_an_open_wait_wins) {
  wait_word word;
  const auto epoch = word.next_epoch();
  EXPECT_FALSE(word.claim(epoch, wake_reason::wake)) << "not begun yet";
  word.begin(false);
  EXPECT_EQ(word.epoch(), epoch);
  EXPECT_TRUE(word.is_parked());
  EXPECT_TRUE(word.is_open(epoch));
  EXPECT_TRUE(word.claim(epoch, wake_reason::timeout));
  EXPECT_FALSE(word.claim(epoch, wake_reason::wake));
  EXPECT_FALSE(word.is_open(epoch));
  EXPECT_EQ(word.reason(), wake_reason::timeout);
}

TEST(wait_word, stale_tokens_fail) {
  wait_word word;
  const auto first = word.next_epoch();
  word.begin(false);
  ASSERT_TRUE(word.claim(first, wake_reason::wake));
  word.begin(false);
  EXPECT_NE(word.epoch(), first);
  EXPECT_FALSE(word.claim(first, wake_reason::wake));
  EXPECT_TRUE(word.is_open(word.epoch())) << "untouched";
  const auto second = word.epoch();
  ASSERT_TRUE(word.claim(second, wake_reason::closed));
  word.renew();  // another fiber's now
  EXPECT_FALSE(word.claim(second, wake_reason::wake));
  word.begin(true);
  EXPECT_FALSE(word.claim(second, wake_reason::wake));
}

TEST(wait_word, tells_cancellers_of_cancellable_waits_only) {
  wait_word word;
  EXPECT_EQ(word.cancellable_epoch(), 0u);
  word.begin(false);
  EXPECT_EQ(word.cancellable_epoch(), 0u);
  ASSERT_TRUE(word.claim(word.epoch(), wake_reason::wake));
  word.begin(true);
  EXPECT_EQ(word.cancellable_epoch(), word.epoch());
  ASSERT_TRUE(word.claim(word.epoch(), wake_reason::cancel));
  EXPECT_EQ(word.cancellable_epoch(), 0u) << "decided";
}

TEST(wait_word, its_low_half_changes_with_every_step) {
  wait_word word;
  const auto before = word.futex_value();
  word.begin(false);
  const auto parked = word.futex_value();
  EXPECT_NE(parked, before);
  EXPECT_TRUE(wait_word::is_parked(parked));
  ASSERT_TRUE(word.claim(word.epoch(), wake_reason::wake));
  EXPECT_NE(word.futex_value(), parked);
  EXPECT_FALSE(wait_word::is_parked(word.futex_value()));
}

TEST(wait_word, of_racing_claims_one_wins) {
  constexpr int rounds = 3000;
  wait_word word;
  std::atomic<int> round{0}, done{0}, wins{0};
  const auto race = [&](wake_reason reason) {
    for (int i = 1; i <= rounds; ++i) {
      while (round < i) std::this_thread::yield();
      wins += word.claim(word.epoch(), reason);
      ++done;
    }
  };
  std::thread a(race, wake_reason::wake), b(race, wake_reason::timeout);
  for (int i = 1; i <= rounds; ++i) {
    word.begin(false);
    round = i;
    while (done < 2 * i) std::this_thread::yield();
    ASSERT_EQ(wins, i);
  }
  a.join();
  b.join();
}
}  // namespace
}  // namespace weft::detail
