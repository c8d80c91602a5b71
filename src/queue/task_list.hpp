// A singly linked list of tasks, threaded through the tasks themselves (`T* next`).
//
// The list owns nothing and allocates nothing, so a batch of any length moves between queues in a
// constant number of stores. A task is on at most one list at a time: `next` has no other meaning
// while it is on one, and is null once it has been popped.
#pragma once

#include <cstddef>

namespace weft::detail {

// Not synchronised: whoever holds the list object may change it.
template <class T>
struct task_list {
  T* first = nullptr;
  T* last = nullptr;
  std::size_t count = 0;

  bool empty() const noexcept { return first == nullptr; }

  void push_back(T* task) noexcept {
    task->next = nullptr;
    if (last != nullptr) {
      last->next = task;
    } else {
      first = task;
    }
    last = task;
    ++count;
  }

  // Splices `other` to the end and leaves it empty.
  void append(task_list& other) noexcept {
    if (other.first == nullptr) return;
    if (last != nullptr) {
      last->next = other.first;
    } else {
      first = other.first;
    }
    last = other.last;
    count += other.count;
    other = task_list{};
  }

  void append(task_list&& other) noexcept { append(other); }

  // nullptr when empty.
  T* pop_front() noexcept {
    T* const task = first;
    if (task == nullptr) return nullptr;
    first = task->next;
    if (first == nullptr) last = nullptr;
    task->next = nullptr;
    --count;
    return task;
  }

  // Splits off the first `n` tasks, or all of them when there are no more than that.
  task_list take_front(std::size_t n) noexcept {
    if (n >= count) {
      const task_list all = *this;
      *this = task_list{};
      return all;
    }
    task_list taken;
    while (taken.count < n) taken.push_back(pop_front());
    return taken;
  }
};

}  // namespace weft::detail
