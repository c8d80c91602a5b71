#include "sched/idle.hpp"

#include <gtest/gtest.h>

#include "sched/publication.hpp"

namespace weft::detail {
namespace {
TEST(idle_word, a_producer_wakes_only_if_somebody_is_idle_and_nobody_searches) {
  idle_word word;
  EXPECT_FALSE(word.should_wake()) << "nobody idle";
  word.went_idle(false);
  EXPECT_TRUE(word.should_wake());
  word.went_idle(false);
  EXPECT_TRUE(word.all_idle(2));
  EXPECT_FALSE(word.all_idle(3));
  word.woken(true);
  EXPECT_FALSE(word.should_wake()) << "the woken one searches";
  EXPECT_EQ(word.look().searching, 1u);
  EXPECT_EQ(word.look().idle, 1u);
}

TEST(idle_word, the_last_searcher_that_finds_work_wakes_another) {
  idle_word word;
  EXPECT_TRUE(word.try_search(2));
  EXPECT_TRUE(word.try_search(2));
  EXPECT_FALSE(word.try_search(2)) << "the limit";
  word.went_idle(false);
  EXPECT_FALSE(word.found()) << "another still searches";
  EXPECT_TRUE(word.found());
  EXPECT_TRUE(word.try_search(1));
  word.woken(false);
  EXPECT_FALSE(word.found()) << "nobody idle to wake";
}

TEST(idle_word, a_searcher_that_gives_up_is_idle) {
  idle_word word;
  ASSERT_TRUE(word.try_search(1));
  word.went_idle(true);
  EXPECT_EQ(word.look().searching, 0u);
  EXPECT_EQ(word.look().idle, 1u);
  word.woken(false);
  EXPECT_EQ(word.look().idle, 0u);
  word.went_idle(false);
  word.reset();
  EXPECT_EQ(word.look().idle, 0u);
}

TEST(publication_mark, covers_the_block_being_published) {
  publication_mark mark;
  int a = 0, b = 0;
  EXPECT_FALSE(mark.covers(&a));
  mark.open(&a);
  EXPECT_TRUE(mark.covers(&a));
  EXPECT_FALSE(mark.covers(&b));
  mark.close();
  EXPECT_FALSE(mark.covers(&a));
}
}  // namespace
}  // namespace weft::detail
