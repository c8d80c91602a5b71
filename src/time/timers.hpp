#pragma once
#include <vector>

#include "base/spin_lock.hpp"
#include "fiber/control_block.hpp"
#include "queue/task_list.hpp"
#include "time/timer_heap.hpp"

namespace weft::detail {
// The deadlines armed on one processor. Its owner arms; anybody may fire what is due.
class timer_set {
 public:
  // Owner, before the park: what follows cannot throw then. May throw std::bad_alloc.
  void reserve_one();
  // Owner, after reserve_one().
  void arm(nanos deadline, wait_token token) noexcept;
  // Any thread: a wait ended before its deadline. Sweeps now and then.
  void note_stale() noexcept;
  // Any thread: fires what is due; fibers whose wait ended by it go to `ready`.
  void expire(nanos at, task_list<control_block>& ready) noexcept;
  // Any thread: takes out what is due without firing it. For explorations, which fire one at a
  // time; may throw std::bad_alloc.
  void take_due(nanos at, std::vector<wait_token>& to);
  // Any thread: the earliest deadline, perhaps of a wait that is over; `never` if none.
  // seq_cst: pairs with watch_until, see sched/idle.cpp.
  nanos earliest() const noexcept { return earliest_.load(std::memory_order_seq_cst); }
  // Any thread, holding any lock: whether a wait in here is not over. When that cannot be told now,
  // true.
  bool has_open() noexcept;

 private:
  void publish_earliest_locked() noexcept;

  spin_lock lock_;
  timer_heap<wait_token> heap_;    // guarded by lock_
  atomic<nanos> earliest_{never};  // written under lock_
};
}  // namespace weft::detail
