// A ring that grows: what it holds stays in order, thieves lose nothing, and memory that is refused
// only makes it full earlier. The proof is the model's (tests/model/local_ring.cpp).
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <thread>
#include <vector>

#include "queue/local_ring.hpp"
#include "unit/queue/task.hpp"

namespace weft::detail {
namespace {

// Counts what is out, and refuses beyond `most` slots at a time.
struct counting_memory {
  static inline std::size_t out = 0;
  static inline std::size_t most = SIZE_MAX;

  template <class Slot>
  static Slot* allocate(std::size_t count) noexcept {
    if (count > most) return nullptr;
    out += count;
    return slot_memory::allocate<Slot>(count);
  }
  template <class Slot>
  static void release(Slot* slots, std::size_t count) noexcept {
    out -= count;
    slot_memory::release(slots, count);
  }
};

template <class Ring>
bool push_growing(Ring& ring, task* t) {
  return ring.push(t) || (ring.grow_slow() && ring.push(t));
}

class ring_growth_test : public testing::Test {
 protected:
  using ring = local_ring<task, 4, 64, counting_memory>;

  ring_growth_test() {
    counting_memory::most = SIZE_MAX;
    for (int i = 0; i < 200; ++i) tasks_[static_cast<std::size_t>(i)].id = i;
  }
  ~ring_growth_test() override { EXPECT_EQ(counting_memory::out, 0U) << "a buffer was lost"; }

  task* at(int i) { return &tasks_[static_cast<std::size_t>(i)]; }

  std::vector<task> tasks_{200};
};

TEST_F(ring_growth_test, keeps_order_from_every_offset) {
  for (int offset = 0; offset < 8; ++offset) {
    ring r;
    for (int i = 0; i < offset; ++i) {
      ASSERT_TRUE(r.push(at(0)));
      ASSERT_EQ(r.pop(), at(0));
    }
    for (int i = 0; i < 64; ++i) ASSERT_TRUE(push_growing(r, at(i)));
    EXPECT_EQ(r.size(), 64U);
    EXPECT_EQ(counting_memory::out, 8U + 16 + 32 + 64) << "left buffers stay";
    for (int i = 0; i < 64; ++i) ASSERT_EQ(r.pop(), at(i)) << "offset " << offset;
    EXPECT_EQ(r.pop(), nullptr);
  }
}

TEST_F(ring_growth_test, laps_in_a_larger_buffer) {
  ring r;
  int in = 0;
  int out = 0;
  for (; in < 13; ++in) ASSERT_TRUE(push_growing(r, at(in)));
  for (; in < 200; ++in) {
    ASSERT_EQ(r.pop_unshared(), at(out++));
    ASSERT_TRUE(r.push(at(in)));
  }
  while (task* t = r.pop()) EXPECT_EQ(t, at(out++));
  EXPECT_EQ(out, 200);
}

TEST_F(ring_growth_test, full_at_the_limit) {
  ring r;
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(push_growing(r, at(i)));
  EXPECT_EQ(r.room(), 0U);
  EXPECT_FALSE(push_growing(r, at(64)));
  task* out[ring::batch];
  ASSERT_EQ(r.pop_batch(out), 32U);
  EXPECT_EQ(out[0], at(0));
  EXPECT_EQ(out[31], at(31));
  EXPECT_TRUE(r.push(at(64)));
  for (int i = 32; i < 65; ++i) EXPECT_EQ(r.pop(), at(i));
}

TEST_F(ring_growth_test, full_when_memory_is_refused_until_it_is_not) {
  counting_memory::most = 8;
  ring r;
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(push_growing(r, at(i)));
  EXPECT_FALSE(push_growing(r, at(8)));
  EXPECT_EQ(r.room(), 0U);
  task* out[ring::batch];
  ASSERT_EQ(r.pop_batch(out), 4U) << "half of what it holds";
  for (int i = 8; i < 12; ++i) EXPECT_TRUE(r.push(at(i)));
  counting_memory::most = SIZE_MAX;
  EXPECT_TRUE(push_growing(r, at(12)));
  for (int i = 4; i < 13; ++i) EXPECT_EQ(r.pop(), at(i));
}

TEST_F(ring_growth_test, steals_from_a_larger_buffer_what_fits_into_a_small_one) {
  ring victim;
  ring mine;
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(push_growing(victim, at(i)));
  EXPECT_EQ(victim.steal_into(mine), at(0));
  EXPECT_EQ(mine.size(), 4U);
  EXPECT_EQ(victim.size(), 35U);
  for (int i = 1; i < 5; ++i) EXPECT_EQ(mine.pop(), at(i));
}

TEST(ring_growth, the_real_ring_grows_to_its_limit_and_leaves_errno_alone) {
  std::vector<task> tasks(131072);
  auto r = std::make_unique<local_ring<task>>();
  errno = EXDEV;
  for (task& t : tasks) ASSERT_TRUE(push_growing(*r, &t));
  EXPECT_FALSE(push_growing(*r, &tasks[0]));
  EXPECT_EQ(errno, EXDEV);
  local_ring<task> mine;
  EXPECT_EQ(r->steal_into(mine), &tasks[0]);
  EXPECT_EQ(mine.size(), 256U) << "a theft is short";
  static task* out[local_ring<task>::batch];
  r->push(&tasks[0]);
  while (push_growing(*r, &tasks[0])) continue;
  EXPECT_EQ(r->pop_batch(out), 512U);
}

TEST(ring_growth, memory_refused_by_the_kernel_leaves_errno_alone) {
  errno = EXDEV;
  EXPECT_EQ(slot_memory::allocate<task*>(std::size_t{1} << 50), nullptr);
  EXPECT_EQ(errno, EXDEV);
}

// Thieves at work while the ring grows step by step, again and again: each task runs once. The
// counters are plain, so that a sanitizer sees a task that is run twice as a race.
TEST(ring_growth, each_task_runs_once) {
  constexpr int rounds = 30;
  constexpr int count = 10'000;
  std::vector<task> all(count);
  for (int round = 0; round < rounds; ++round) {
    auto victim = std::make_unique<local_ring<task, 2>>();
    atomic<int> done{0};
    const auto run = [&](task* t) {
      ++t->runs;
      done.fetch_add(1, std::memory_order_relaxed);
    };
    const auto thief = [&] {
      auto mine = std::make_unique<local_ring<task, 2>>();
      while (done.load(std::memory_order_relaxed) < count) {
        if (task* t = victim->steal_into(*mine)) {
          run(t);
          while (task* more = mine->pop()) run(more);
        } else {
          std::this_thread::yield();
        }
      }
    };
    std::vector<std::thread> thieves;
    for (int i = 0; i < 3; ++i) thieves.emplace_back(thief);
    for (int i = 0; i < count; ++i) {
      task* const t = &all[static_cast<std::size_t>(i)];
      if (!push_growing(*victim, t)) ADD_FAILURE() << "full below the limit";
      if (i % 5 == 0) {
        if (task* mine = victim->pop()) run(mine);
      }
    }
    while (task* t = victim->pop()) run(t);
    for (std::thread& t : thieves) t.join();
    EXPECT_EQ(done.load(std::memory_order_relaxed), count);
  }
  int wrong = 0;
  for (const task& t : all) wrong += t.runs != rounds;
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace weft::detail
