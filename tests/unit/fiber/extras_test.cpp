#include "fiber/extras.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "fiber/slab.hpp"

namespace weft::detail {
namespace {
class extras : public testing::Test {
 protected:
  extras() {
    std::size_t taken = 0;
    block = slab_take(1, taken);
  }
  ~extras() override {
    renew_block(*block);
    slab_give(block, block);
  }
  control_block* block;
};

TEST_F(extras, are_made_on_first_need) {
  EXPECT_EQ(block->extras.load(std::memory_order_relaxed), nullptr);
  EXPECT_STREQ(name_of(*block), "");
  fiber_extras& made = extras_of(*block);
  EXPECT_EQ(&extras_of(*block), &made);
  std::strcpy(made.name, "reader");
  EXPECT_STREQ(name_of(*block), "reader");
  char copy[fiber_extras::name_size] = "?";
  copy_name(*block, copy);
  EXPECT_STREQ(copy, "reader");
  drop_extras(*block);
  EXPECT_STREQ(name_of(*block), "");
  copy_name(*block, copy);
  EXPECT_STREQ(copy, "");
}

TEST_F(extras, there_is_no_stop_state_until_it_is_asked_for) {
  EXPECT_FALSE(existing_stop_source(*block).stop_possible());
  std::stop_source made = stop_source_of(*block);
  EXPECT_TRUE(made.stop_possible());
  EXPECT_FALSE(made.stop_requested());
  EXPECT_EQ(existing_stop_source(*block), made);
  EXPECT_EQ(stop_source_of(*block), made);
}

TEST_F(extras, a_std_request_reaches_the_fibers_word) {
  std::stop_source made = stop_source_of(*block);
  EXPECT_TRUE(made.request_stop());
  EXPECT_EQ(block->cancel.load(std::memory_order_relaxed), cancel_bit::stop_requested);
}

TEST_F(extras, made_by_several_threads_there_is_one) {
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> go{false};
    std::vector<std::thread> threads;
    std::vector<fiber_extras*> seen(3);
    std::vector<std::stop_source> sources(3, std::stop_source(std::nostopstate));
    for (std::size_t i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] {
        while (!go) std::this_thread::yield();
        seen[i] = &extras_of(*block);
        sources[i] = stop_source_of(*block);
      });
    }
    go = true;
    for (std::thread& t : threads) t.join();
    ASSERT_TRUE(seen[0] == seen[1] && seen[1] == seen[2]);
    ASSERT_TRUE(sources[0] == sources[1] && sources[1] == sources[2]);
    renew_block(*block);
  }
}
}  // namespace
}  // namespace weft::detail
