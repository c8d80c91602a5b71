#include "queue/task_list.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "unit/queue/task.hpp"

namespace weft::detail {
namespace {

std::vector<int> drain(task_list<task>& list) {
  std::vector<int> ids;
  while (task* t = list.pop_front()) {
    EXPECT_EQ(t->next, nullptr) << "a popped task still points into the list";
    ids.push_back(t->id);
  }
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.last, nullptr);
  EXPECT_EQ(list.count, 0U);
  return ids;
}

TEST(task_list, starts_empty) {
  task_list<task> list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.pop_front(), nullptr);
  EXPECT_EQ(list.count, 0U);
}

TEST(task_list, keeps_order) {
  task tasks[3] = {{0}, {1}, {2}};
  task_list<task> list;
  for (task& t : tasks) list.push_back(&t);
  EXPECT_EQ(list.count, 3U);
  EXPECT_EQ(drain(list), (std::vector<int>{0, 1, 2}));
}

TEST(task_list, push_back_cuts_an_old_link) {
  task tasks[2] = {{0}, {1}};
  tasks[0].next = &tasks[1];
  task_list<task> list;
  list.push_back(&tasks[0]);
  EXPECT_EQ(drain(list), (std::vector<int>{0}));
}

TEST(task_list, is_usable_again_after_it_ran_empty) {
  task tasks[2] = {{0}, {1}};
  task_list<task> list;
  list.push_back(&tasks[0]);
  list.pop_front();
  list.push_back(&tasks[1]);
  EXPECT_EQ(drain(list), (std::vector<int>{1}));
}

TEST(task_list, appends_to_empty_and_to_filled) {
  task tasks[4] = {{0}, {1}, {2}, {3}};
  task_list<task> a;
  task_list<task> b;
  a.push_back(&tasks[0]);
  a.push_back(&tasks[1]);
  b.append(a);
  EXPECT_TRUE(a.empty()) << "what was appended must not stay in the other list";
  a.push_back(&tasks[2]);
  a.push_back(&tasks[3]);
  b.append(a);
  EXPECT_EQ(b.count, 4U);
  EXPECT_EQ(b.last, &tasks[3]);
  EXPECT_EQ(drain(b), (std::vector<int>{0, 1, 2, 3}));
}

TEST(task_list, appending_nothing_changes_nothing) {
  task one{7};
  task_list<task> list;
  list.push_back(&one);
  list.append(task_list<task>{});
  EXPECT_EQ(list.last, &one);
  EXPECT_EQ(drain(list), (std::vector<int>{7}));
}

TEST(task_list, take_front_splits) {
  for (std::size_t n = 0; n <= 4; ++n) {
    task tasks[3] = {{0}, {1}, {2}};
    task_list<task> list;
    for (task& t : tasks) list.push_back(&t);
    task_list<task> front = list.take_front(n);
    const std::size_t taken = n < 3 ? n : 3;
    EXPECT_EQ(front.count, taken);
    EXPECT_EQ(list.count, 3 - taken);
    std::vector<int> ids = drain(front);
    for (const int id : drain(list)) ids.push_back(id);
    EXPECT_EQ(ids, (std::vector<int>{0, 1, 2})) << "split at " << n;
  }
}

}  // namespace
}  // namespace weft::detail
