// Those who wait, in order; a node leaves whatever list it is in.
#include "park/wait_list.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weft::detail {
namespace {
struct named : waiter {
  char name = 0;
};

struct wait_list_test : testing::Test {
  wait_list list;
  named nodes[4];

  void SetUp() override {
    for (int i = 0; i < 4; ++i) nodes[i].name = static_cast<char>('a' + i);
  }
  static std::string drain(wait_list& from) {
    std::string names;
    while (waiter* first = from.pop_front()) names += static_cast<named*>(first)->name;
    return names;
  }
};

TEST_F(wait_list_test, keeps_the_order_but_for_who_goes_to_the_front) {
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.pop_front(), nullptr);
  list.push_back(nodes[0]);
  list.push_back(nodes[1]);
  list.push_front(nodes[2]);
  EXPECT_TRUE(nodes[2].linked);
  EXPECT_EQ(list.front(), &nodes[2]);
  EXPECT_EQ(drain(list), "cab");
  EXPECT_TRUE(list.empty());
  EXPECT_FALSE(nodes[0].linked || nodes[1].linked || nodes[2].linked);
}

TEST_F(wait_list_test, a_node_leaves_from_anywhere) {
  for (int gone = 0; gone < 4; ++gone) {
    for (named& each : nodes) list.push_back(each);
    wait_list::erase(nodes[gone]);
    EXPECT_FALSE(nodes[gone].linked);
    std::string expected = "abcd";
    expected.erase(static_cast<std::size_t>(gone), 1);
    EXPECT_EQ(drain(list), expected);
  }
}

TEST_F(wait_list_test, is_taken_whole_and_left_empty) {
  for (named& each : nodes) list.push_back(each);
  wait_list taken;
  taken.take(list);
  EXPECT_TRUE(list.empty());
  wait_list::erase(nodes[1]);  // leaves the list that it is in now
  list.push_back(nodes[1]);
  EXPECT_EQ(drain(taken), "acd");
  EXPECT_EQ(drain(list), "b");
  taken.take(list);
  EXPECT_TRUE(taken.empty());
  list.push_front(nodes[0]);
  EXPECT_EQ(drain(list), "a");
}

// Waits of a thread, opened by hand.
struct open_wait : waiter {
  control_block block;
  bool told = false;
  explicit open_wait(wait_list& in) {
    block.flags = fiber_flag::kernel_thread;
    block.word.begin(false);
    token = {&block, block.word.epoch()};
    in.push_back(*this);
  }
  bool is_open() const { return block.word.is_open(token.epoch); }
};

TEST(claiming, passes_over_whose_wait_has_ended) {
  wait_list list;
  open_wait a(list);
  open_wait b(list);
  open_wait c(list);
  a.block.word.claim(a.token.epoch, wake_reason::timeout);
  const claimed_wait woken =
      claim_first_locked(list, [](waiter& each) { static_cast<open_wait&>(each).told = true; });
  EXPECT_EQ(woken.block, &b.block);
  EXPECT_TRUE(woken.thread);
  EXPECT_TRUE(a.told && b.told && !c.told);
  EXPECT_FALSE(a.linked || b.linked);
  EXPECT_TRUE(c.linked && c.is_open());
  EXPECT_EQ(b.block.word.reason(), wake_reason::wake);
}

TEST(claiming, stops_at_who_has_not_parked_yet) {
  wait_list list;
  waiter on_his_way;
  list.push_back(on_his_way);
  open_wait behind(list);
  EXPECT_FALSE(claim_first_locked(list));
  EXPECT_FALSE(on_his_way.linked) << "that tells him";
  EXPECT_TRUE(behind.is_open());
}

TEST(claiming, leaves_alone_who_stayed_in_the_parent) {
  wait_list list;
  open_wait parents(list);
  open_wait own(list);
  parents.process = process_copy() - 1;
  EXPECT_EQ(claim_first_locked(list).block, &own.block);
  EXPECT_TRUE(parents.is_open());
  EXPECT_FALSE(claim_first_locked(list));
}
}  // namespace
}  // namespace weft::detail
