// Single-threaded behaviour, and one race against real hardware. The proof is the model's
// (tests/model/local_ring.cpp); what the model cannot show is that the real capacity and the real
// atomics behave as the small ones there.
#include "queue/local_ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "unit/queue/task.hpp"

namespace weft::detail {
namespace {

template <class Ring>
std::vector<int> drain(Ring& ring) {
  std::vector<int> ids;
  while (task* t = ring.pop()) ids.push_back(t->id);
  EXPECT_EQ(ring.size(), 0U);
  return ids;
}

std::vector<int> iota(int first, int last) {
  std::vector<int> ids(static_cast<std::size_t>(last - first));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

class local_ring_test : public testing::Test {
 protected:
  using ring = local_ring<task, 8, 8>;

  task* make() {
    tasks_.push_back(std::make_unique<task>(task{static_cast<int>(tasks_.size())}));
    return tasks_.back().get();
  }
  void fill(ring& r, int n) {
    for (int i = 0; i < n; ++i) ASSERT_TRUE(r.push(make()));
  }
  // Moves the indices on without leaving anything behind.
  void turn(ring& r, int n) {
    static task dummy;
    for (int i = 0; i < n; ++i) {
      ASSERT_TRUE(r.push(&dummy));
      ASSERT_EQ(r.pop(), &dummy);
    }
  }

  ring victim_;
  ring mine_;

 private:
  std::vector<std::unique_ptr<task>> tasks_;
};

TEST_F(local_ring_test, empty) {
  EXPECT_EQ(victim_.pop(), nullptr);
  EXPECT_EQ(victim_.steal_into(mine_), nullptr);
  EXPECT_EQ(victim_.size(), 0U);
  EXPECT_EQ(mine_.size(), 0U);
}

TEST_F(local_ring_test, pop_if_takes_the_oldest_and_no_other) {
  task* const first = make();
  task* const second = make();
  EXPECT_FALSE(victim_.pop_if(first));
  EXPECT_FALSE(victim_.pop_if_unshared(first));
  turn(victim_, 13);
  ASSERT_TRUE(victim_.push(first) && victim_.push(second));
  EXPECT_FALSE(victim_.pop_if(second));
  EXPECT_FALSE(victim_.pop_if_unshared(second));
  EXPECT_TRUE(victim_.pop_if(first));
  EXPECT_FALSE(victim_.pop_if(first));
  EXPECT_TRUE(victim_.pop_if_unshared(second));
  EXPECT_EQ(victim_.size(), 0U);
}

TEST_F(local_ring_test, first_in_first_out) {
  fill(victim_, 5);
  EXPECT_EQ(victim_.size(), 5U);
  EXPECT_EQ(drain(victim_), iota(0, 5));
}

TEST_F(local_ring_test, full_at_capacity_and_not_before) {
  fill(victim_, 8);
  EXPECT_EQ(victim_.size(), 8U);
  EXPECT_FALSE(victim_.push(make()));
  EXPECT_EQ(drain(victim_), iota(0, 8)) << "a refused push must leave no trace";
}

TEST_F(local_ring_test, laps) {
  for (int offset = 0; offset < 20; ++offset) {
    fill(victim_, 8);
    EXPECT_EQ(drain(victim_).size(), 8U);
    turn(victim_, 1);
  }
}

TEST_F(local_ring_test, without_thieves_the_plain_pop_is_the_same) {
  for (int offset = 0; offset < 9; ++offset) {
    EXPECT_EQ(victim_.pop_unshared(), nullptr);
    fill(victim_, 8);
    task* const first = victim_.pop_unshared();
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(victim_.size(), 7U);
    EXPECT_TRUE(victim_.push(first)) << "the plain pop makes room";
    for (int i = 1; i < 8; ++i) EXPECT_EQ(victim_.pop_unshared()->id, first->id + i);
    EXPECT_EQ(victim_.pop(), first) << "the two pops may be mixed";
    turn(victim_, 1);
  }
}

TEST_F(local_ring_test, pop_batch_of_a_full_ring_only) {
  task* out[4];
  fill(victim_, 7);
  EXPECT_EQ(victim_.pop_batch(out), 0U);
  fill(victim_, 1);
  ASSERT_EQ(victim_.pop_batch(out), 4U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(out[i]->id, i);
  EXPECT_EQ(drain(victim_), iota(4, 8));
}

TEST_F(local_ring_test, pop_batch_across_the_seam) {
  turn(victim_, 6);
  fill(victim_, 8);
  task* out[4];
  ASSERT_EQ(victim_.pop_batch(out), 4U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(out[i]->id, i);
  EXPECT_EQ(drain(victim_), iota(4, 8));
}

// Half, rounded up, oldest first: one to run, the others in the thief's ring in order.
TEST_F(local_ring_test, steals_the_older_half) {
  for (int queued = 1; queued <= 8; ++queued) {
    for (int offset = 0; offset < 8; ++offset) {
      ring victim;
      ring mine;
      turn(victim, offset);
      turn(mine, 7 - offset);
      std::vector<task> tasks(static_cast<std::size_t>(queued));
      for (int i = 0; i < queued; ++i) {
        tasks[static_cast<std::size_t>(i)].id = i;
        ASSERT_TRUE(victim.push(&tasks[static_cast<std::size_t>(i)]));
      }
      const int half = (queued + 1) / 2;
      task* first = victim.steal_into(mine);
      ASSERT_NE(first, nullptr);
      EXPECT_EQ(first->id, 0);
      EXPECT_EQ(drain(mine), iota(1, half)) << queued << " queued, offset " << offset;
      EXPECT_EQ(drain(victim), iota(half, queued)) << queued << " queued, offset " << offset;
    }
  }
}

TEST_F(local_ring_test, steals_no_more_than_fit) {
  for (int in_mine = 5; in_mine <= 8; ++in_mine) {
    ring victim;
    ring mine;
    std::vector<task> tasks(16);
    for (int i = 0; i < 8; ++i) {
      tasks[static_cast<std::size_t>(i)].id = i;
      ASSERT_TRUE(victim.push(&tasks[static_cast<std::size_t>(i)]));
    }
    for (int i = 0; i < in_mine; ++i) {
      tasks[static_cast<std::size_t>(8 + i)].id = 100 + i;
      ASSERT_TRUE(mine.push(&tasks[static_cast<std::size_t>(8 + i)]));
    }
    const int moved = std::min(3, 8 - in_mine);
    ASSERT_EQ(victim.steal_into(mine)->id, 0);
    std::vector<int> expected = iota(100, 100 + in_mine);
    for (int i = 1; i <= moved; ++i) expected.push_back(i);
    EXPECT_EQ(drain(mine), expected);
    EXPECT_EQ(drain(victim), iota(1 + moved, 8));
  }
}

// A yield: the oldest comes out, the one that yields goes in, also into the slot just emptied.
TEST_F(local_ring_test, rotates) {
  const auto any = [](const task&) { return true; };
  task* const first = make();
  EXPECT_EQ(victim_.rotate_unshared(first, any).oldest, nullptr);
  EXPECT_EQ(victim_.size(), 0U) << "nothing to run: not queued";
  fill(victim_, 8);
  EXPECT_EQ(victim_.rotate_unshared(first, [](const task&) { return false; }).oldest, nullptr);
  const auto rotated = victim_.rotate_unshared(first, any);
  ASSERT_EQ(rotated.oldest->id, 1);
  EXPECT_EQ(rotated.queued, 8U);
  EXPECT_EQ(rotated.front()->id, 2);
  EXPECT_EQ(victim_.size(), 8U);
  std::vector<int> expected = iota(2, 9);
  expected.push_back(0);
  EXPECT_EQ(drain(victim_), expected);
}

TEST_F(local_ring_test, keeps_head_and_tail_off_the_slots_line) {
  EXPECT_EQ(alignof(ring), cache_line);
  EXPECT_EQ(sizeof(ring), 2 * cache_line + 8 * sizeof(void*)) << "indices, buffers, slots";
}

// One owner pushes every task once and pops some; two thieves steal until all are accounted for.
// Each task counts how often it was run; the counters are plain, so that a sanitizer sees a task
// that is run twice as a race.
TEST(local_ring_race, each_task_runs_once) {
  constexpr int count = 300'000;
  struct counted {
    int runs = 0;
    counted* next = nullptr;
  };
  std::vector<counted> all(count);
  counted* const tasks = all.data();
  auto victim = std::make_unique<local_ring<counted, 256, 256>>();
  atomic<int> done{0};
  const auto run = [&](counted* t) {
    ++t->runs;
    done.fetch_add(1, std::memory_order_relaxed);
  };
  const auto thief = [&] {
    auto mine = std::make_unique<local_ring<counted, 256, 256>>();
    while (done.load(std::memory_order_relaxed) < count) {
      if (counted* t = victim->steal_into(*mine)) {
        run(t);
        while (counted* more = mine->pop()) run(more);
      } else {
        std::this_thread::yield();
      }
    }
  };
  std::thread first(thief);
  std::thread second(thief);
  counted* spilled[local_ring<counted, 256, 256>::batch];
  for (int i = 0; i < count; ++i) {
    while (!victim->push(&tasks[i])) {
      const std::uint32_t n = victim->pop_batch(spilled);
      for (std::uint32_t k = 0; k < n; ++k) run(spilled[k]);
    }
    if (i % 3 == 0) {
      if (counted* t = victim->pop()) run(t);
    }
  }
  while (counted* t = victim->pop()) run(t);
  first.join();
  second.join();
  int wrong = 0;
  for (const counted& t : all) wrong += t.runs != 1;
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(done.load(std::memory_order_relaxed), count);
}

}  // namespace
}  // namespace weft::detail
