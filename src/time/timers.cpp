#include "time/timers.hpp"

#include "sched/schedule.hpp"

namespace weft::detail {
void timer_set::reserve_one() {
  const spin_guard guard(lock_);
  const unwatched ours;
  heap_.reserve_one();
}

void timer_set::publish_earliest_locked() noexcept {
  const nanos earliest = heap_.earliest();
  if (earliest_.load(std::memory_order_relaxed) != earliest) {
    // seq_cst: pairs with earliest(), and with watch_until in sched/idle.cpp.
    earliest_.store(earliest, std::memory_order_seq_cst);
  }
}

void timer_set::arm(nanos deadline, wait_token token) noexcept {
  const spin_guard guard(lock_);
  heap_.push(deadline, token);
  publish_earliest_locked();
}

void timer_set::note_stale() noexcept {
  const spin_guard guard(lock_);
  heap_.note_stale();
  if (!heap_.should_compact()) return;
  const unwatched ours;
  heap_.compact([](const wait_token& token) { return !token.block->word.is_open(token.epoch); });
  publish_earliest_locked();
}

bool timer_set::has_open() noexcept {
  if (earliest() == never) return false;
  if (!lock_.try_lock()) return true;
  const bool found =
      heap_.any([](const wait_token& token) { return token.block->word.is_open(token.epoch); });
  lock_.unlock();
  return found;
}

void timer_set::take_due(nanos at, std::vector<wait_token>& to) {
  const spin_guard guard(lock_);
  heap_.expire(at, [&](wait_token token) { to.push_back(token); });
  publish_earliest_locked();
}

void timer_set::expire(nanos at, task_list<control_block>& ready) noexcept {
  if (earliest() > at) return;
  const spin_guard guard(lock_);
  heap_.expire(at, [&](wait_token token) {
    if (!token.block->word.claim(token.epoch, wake_reason::timeout)) return;
    if (token.block->flags & fiber_flag::pinned) {
      make_ready(token.block);
    } else {
      ready.push_back(token.block);
    }
  });
  publish_earliest_locked();
}
}  // namespace weft::detail
