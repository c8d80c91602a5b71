#include "queue/inject_queue.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "unit/queue/task.hpp"

namespace weft::detail {
namespace {

std::vector<int> ids_of(task_list<task> list) {
  std::vector<int> ids;
  while (task* t = list.pop_front()) ids.push_back(t->id);
  return ids;
}

TEST(inject_queue, starts_empty) {
  inject_queue<task> queue;
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_TRUE(queue.pop(10).empty());
}

TEST(inject_queue, mixes_single_tasks_and_batches_in_order) {
  task tasks[5] = {{0}, {1}, {2}, {3}, {4}};
  inject_queue<task> queue;
  queue.push(&tasks[0]);
  task_list<task> batch;
  for (int i = 1; i < 4; ++i) batch.push_back(&tasks[i]);
  queue.push(batch);
  queue.push(&tasks[4]);
  EXPECT_EQ(queue.size(), 5U);
  EXPECT_EQ(ids_of(queue.pop(2)), (std::vector<int>{0, 1}));
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(ids_of(queue.pop(100)), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(queue.size(), 0U);
}

TEST(inject_queue, popping_none_takes_none) {
  task one{1};
  inject_queue<task> queue;
  queue.push(&one);
  EXPECT_TRUE(queue.pop(0).empty());
  EXPECT_EQ(queue.size(), 1U);
}

TEST(inject_queue, an_empty_batch_is_nothing) {
  inject_queue<task> queue;
  queue.push(task_list<task>{});
  EXPECT_EQ(queue.size(), 0U);
}

// Two producers, one with batches, against two consumers: each task once, each producer's tasks in
// the order it pushed them as far as one consumer sees them.
TEST(inject_queue_race, each_task_comes_out_once) {
  constexpr int each = 60'000;
  std::vector<task> all(2 * each);
  task* const tasks = all.data();
  for (int i = 0; i < 2 * each; ++i) tasks[i].id = i;
  inject_queue<task> queue;
  atomic<int> done{0};
  std::vector<int> seen[2];
  const auto consume = [&](std::vector<int>& into) {
    while (done.load(std::memory_order_relaxed) < 2 * each) {
      task_list<task> got = queue.pop(7);
      if (got.empty()) std::this_thread::yield();
      done.fetch_add(static_cast<int>(got.count), std::memory_order_relaxed);
      while (task* t = got.pop_front()) into.push_back(t->id);
    }
  };
  std::thread singles([&] {
    for (int i = 0; i < each; ++i) queue.push(&tasks[i]);
  });
  std::thread batches([&] {
    for (int i = each; i < 2 * each; i += 4) {
      task_list<task> batch;
      for (int k = i; k < i + 4; ++k) batch.push_back(&tasks[k]);
      queue.push(batch);
    }
  });
  std::thread other([&] { consume(seen[1]); });
  consume(seen[0]);
  singles.join();
  batches.join();
  other.join();

  std::vector<int> times(2 * each);
  for (const std::vector<int>& one : seen) {
    int last[2] = {-1, -1};
    for (const int id : one) {
      ++times[static_cast<std::size_t>(id)];
      int& previous = last[id < each ? 0 : 1];
      EXPECT_LT(previous, id) << "overtaken";
      previous = id;
    }
  }
  EXPECT_EQ(times, std::vector<int>(2 * each, 1));
  EXPECT_EQ(queue.size(), 0U);
}

}  // namespace
}  // namespace weft::detail
