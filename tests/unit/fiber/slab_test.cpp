#include "fiber/slab.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "fiber/extras.hpp"

namespace weft::detail {
namespace {
// Takes that many blocks, one list at a time.
std::vector<control_block*> take(std::size_t count) {
  std::vector<control_block*> all;
  while (all.size() < count) {
    std::size_t taken = 0;
    control_block* first = slab_take(count - all.size(), taken);
    EXPECT_GT(taken, 0u);
    for (std::size_t i = 0; i < taken; ++i) {
      all.push_back(first);
      first = first->next;
    }
    EXPECT_EQ(first, nullptr) << "as many as it said";
  }
  return all;
}

void give(const std::vector<control_block*>& all) {
  for (control_block* block : all) slab_give(block, block);
}

TEST(slab, blocks_are_distinct_and_aligned) {
  const auto all = take(3000);  // more than a chunk
  EXPECT_EQ(std::set<control_block*>(all.begin(), all.end()).size(), 3000u);
  for (const control_block* block : all) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % cache_line, 0u);
  }
  give(all);
}

TEST(slab, what_was_given_is_taken_again) {
  const auto all = take(100);
  give(all);
  const auto again = take(100);
  for (const control_block* block : again) {
    EXPECT_NE(std::find(all.begin(), all.end(), block), all.end());
  }
  give(again);
}

TEST(slab, a_visit_sees_every_block_free_or_not) {
  const auto all = take(50);
  give({all.begin(), all.begin() + 25});
  std::set<const control_block*> seen;
  slab_for_each(
      [](control_block& block, void* arg) {
        static_cast<std::set<const control_block*>*>(arg)->insert(&block);
      },
      &seen);
  for (const control_block* block : all) EXPECT_TRUE(seen.contains(block));
  give({all.begin() + 25, all.end()});
}

TEST(slab, a_renewed_block_looks_unborn) {
  control_block* block = take(1).front();
  block->serial.store(5, std::memory_order_relaxed);
  block->flags = fiber_flag::pinned | fiber_flag::started;
  block->shielded = 1;
  block->deadline_level = 3;
  block->deadline = 17;
  block->waits_for = wait_kind::sleep;
  block->cancel.store(cancel_bit::stop_requested, std::memory_order_relaxed);
  block->joiner.store(joiner_finished, std::memory_order_relaxed);
  extras_of(*block).name[0] = 'x';
  block->word.begin(true);
  const auto old = block->word.epoch();
  renew_block(*block);
  EXPECT_EQ(block->serial.load(std::memory_order_relaxed), 0u);
  EXPECT_EQ(block->flags, 0);
  EXPECT_EQ(block->shielded, 0);
  EXPECT_EQ(block->deadline_level, 0);
  EXPECT_EQ(block->deadline, never);
  EXPECT_EQ(block->waits_for, wait_kind::none);
  EXPECT_EQ(block->cancel.load(std::memory_order_relaxed), 0u);
  EXPECT_EQ(block->joiner.load(std::memory_order_relaxed), nullptr);
  EXPECT_EQ(block->extras.load(std::memory_order_relaxed), nullptr);
  EXPECT_FALSE(block->word.claim(old, wake_reason::wake)) << "old tokens are void";
  slab_give(block, block);
}

TEST(slab, threads_never_share_a_block_or_a_number) {
  constexpr int threads = 4, rounds = 200;
  std::vector<std::thread> all;
  std::vector<std::set<std::uint64_t>> numbers(threads);
  std::atomic<int> doubled{0};
  for (std::size_t t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      for (int i = 0; i < rounds; ++i) {
        const auto mine = take(20);
        const std::uint64_t first = take_serials(20);
        for (std::size_t k = 0; k < mine.size(); ++k) {
          numbers[t].insert(first + k);
          // Whoever else held it would have left its mark.
          doubled += mine[k]->serial.exchange(first + k, std::memory_order_relaxed) != 0;
        }
        for (control_block* block : mine) block->serial.store(0, std::memory_order_relaxed);
        give(mine);
      }
    });
  }
  for (std::thread& t : all) t.join();
  EXPECT_EQ(doubled, 0);
  std::set<std::uint64_t> every;
  for (const auto& of_one : numbers) every.insert(of_one.begin(), of_one.end());
  EXPECT_EQ(every.size(), std::size_t{threads} * rounds * 20);
}

TEST(slab_cache, keeps_gives_and_flushes) {
  slab_cache cache;
  std::set<control_block*> held;
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(held.insert(cache.take()).second);
  for (control_block* block : held) cache.give(block);
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(held.contains(cache.take())) << "its own first";
  for (control_block* block : held) cache.give(block);
  cache.flush();
  const auto back = take(200);
  give(back);
}
}  // namespace
}  // namespace weft::detail
