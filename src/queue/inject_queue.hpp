// The queue through which work enters a runtime from outside its processors: spawns and wakes from
// kernel threads that are no carriers, what the watch found while every processor was busy, and
// what a full local ring spills.
//
// A list under a spin lock, not a lock-free queue: batches of any length go in and come out in one
// short critical section, order is kept, and a processor comes here once in 61 switches or when it
// has nothing else, so the lock is no hot path. What is hot is the question "is there anything?",
// asked by every searching processor: `size()` answers it without the lock.
//
// The queue is type-stable: it is recycled with its runtime core and never unmapped, because a
// foreign thread may still be inside `push` when the runtime that it wakes a fiber of has ended.
#pragma once

#include <cstddef>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "base/spin_lock.hpp"
#include "queue/task_list.hpp"

namespace weft::detail {

// Any thread may call any member. None of them parks, allocates or calls out.
template <class T>
class alignas(cache_line) inject_queue {
 public:
  void push(T* task) noexcept {
    task_list<T> one;
    one.push_back(task);
    push(one);
  }

  // Takes over all of `batch`; order is kept.
  //
  // The size is advanced by a seq_cst read-modify-write even though the lock would do for the list:
  // it is the producer's half of the idle protocol. A producer does {advance size_; read the idle
  // word}, a processor about to sleep does {announce itself in the idle word; read size_}, all four
  // seq_cst: at least one of the two sees the other (pairs with the load in `size()` and with the
  // idle word's own operations in sched/idle.hpp). Anything weaker lets both read the old value,
  // and the task waits on a queue that every processor has just found empty.
  void push(task_list<T> batch) noexcept {
    if (batch.empty()) return;
    const std::size_t n = batch.count;
    lock_.lock();
    list_.append(batch);
    size_.fetch_add(n, std::memory_order_seq_cst);
    lock_.unlock();
  }

  // Up to `max` of the oldest tasks; empty when there are none. Returns empty without the lock when
  // the size says so: then it was empty at that moment, in the seq_cst order of `push`.
  task_list<T> pop(std::size_t max) noexcept {
    if (max == 0 || size() == 0) return {};
    lock_.lock();
    task_list<T> taken = list_.take_front(max);
    // Under the lock, as in push: the size never says less than what is in the list to a thread
    // that has been ordered after the push, and never wraps below zero. Relaxed is enough for
    // going down: a reader that still sees the larger number only looks once too often.
    size_.fetch_sub(taken.count, std::memory_order_relaxed);
    lock_.unlock();
    return taken;
  }

  // Tasks queued now; approximate unless the caller's own protocol orders it after the pushes.
  // seq_cst: see push.
  std::size_t size() const noexcept { return size_.load(std::memory_order_seq_cst); }

 private:
  spin_lock lock_;
  atomic<std::size_t> size_{0};
  task_list<T> list_;  // guarded by lock_
};

}  // namespace weft::detail
