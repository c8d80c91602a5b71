// Deadlines in order, earliest first. Knows no clock, takes no lock, never looks at a payload.
//
// A 4-ary heap of entries by value: four children fill one or two cache lines, so a sift costs half
// the misses of a binary heap, and no entry is ever reached through a pointer. An entry is not
// removed when its wait is over: the waiter's epoch has moved on by then, which makes the entry
// stale, and expiring a stale entry wakes nobody. The owner counts those (`note_stale`) and sweeps
// them when they are the greater part.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace weft::detail {

// Not synchronised: the caller holds the lock of the processor that owns the heap.
template <class Payload>
class timer_heap {
  static_assert(std::is_nothrow_move_constructible_v<Payload> &&
                    std::is_nothrow_move_assignable_v<Payload>,
                "entries are moved about inside the heap");

 public:
  struct entry {
    std::int64_t deadline;
    Payload payload;
  };

  // Makes room for one more, so that the next push cannot throw. May throw std::bad_alloc.
  void reserve_one() {
    if (heap_.size() == heap_.capacity()) heap_.reserve(heap_.empty() ? 64 : heap_.size() * 2);
  }

  // May throw std::bad_alloc unless reserve_one() came before; the heap is then unchanged.
  void push(std::int64_t deadline, Payload payload) {
    heap_.push_back(entry{deadline, std::move(payload)});
    sift_up(heap_.size() - 1);
  }

  // `never` when empty. May be a stale entry's: waking for it once is cheaper than finding out.
  std::int64_t earliest() const noexcept { return heap_.empty() ? never : heap_.front().deadline; }

  // Takes out every entry due at `now` and calls f(payload) for each, in order of deadline (entries
  // of one deadline in any order). Each entry is out of the heap before f sees it, so f may push;
  // what it pushes at or before `now` expires in the same call. Entries at `never` stay for ever.
  template <class F>
  std::size_t expire(std::int64_t now, F&& f) {
    std::size_t fired = 0;
    while (!heap_.empty() && heap_.front().deadline <= now && heap_.front().deadline != never) {
      Payload payload = std::move(heap_.front().payload);
      remove_front();
      ++fired;
      f(std::move(payload));
    }
    return fired;
  }

  // One entry in here has become stale. A hint: the count may run ahead when such an entry expires
  // before it is swept, which brings a sweep forward and does no other harm.
  void note_stale() noexcept { ++stale_; }

  // More than half are stale, and there are enough of them for a sweep to be worth its walk. A
  // sweep walks fewer than twice as many entries as were noted since the last one, so its cost is
  // constant for each note.
  bool should_compact() const noexcept {
    return heap_.size() >= smallest_worth_sweeping && stale_ > heap_.size() / 2;
  }

  // Drops the entries whose payload satisfies `is_stale`.
  template <class P>
  void compact(P is_stale) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < heap_.size(); ++i) {
      if (is_stale(std::as_const(heap_[i].payload))) continue;
      if (kept != i) heap_[kept] = std::move(heap_[i]);
      ++kept;
    }
    heap_.erase(heap_.begin() + static_cast<std::ptrdiff_t>(kept), heap_.end());
    stale_ = 0;
    if (kept < 2) return;
    for (std::size_t i = parent(kept - 1) + 1; i-- > 0;) sift_down(i);
  }

  // Whether a payload satisfies `wanted`.
  template <class P>
  bool any(P wanted) const {
    return std::any_of(heap_.begin(), heap_.end(),
                       [&](const entry& e) { return wanted(e.payload); });
  }

  std::size_t size() const noexcept { return heap_.size(); }

 private:
  static constexpr std::size_t arity = 4;
  static constexpr std::size_t smallest_worth_sweeping = 64;

  static std::size_t parent(std::size_t i) noexcept { return (i - 1) / arity; }

  // Both sifts carry the entry in a local and move the others past it: one move a level.
  void sift_up(std::size_t i) noexcept {
    entry moving = std::move(heap_[i]);
    while (i > 0) {
      const std::size_t up = parent(i);
      if (heap_[up].deadline <= moving.deadline) break;
      heap_[i] = std::move(heap_[up]);
      i = up;
    }
    heap_[i] = std::move(moving);
  }

  void sift_down(std::size_t i) noexcept {
    const std::size_t n = heap_.size();
    entry moving = std::move(heap_[i]);
    for (;;) {
      const std::size_t first = i * arity + 1;
      if (first >= n) break;
      const std::size_t end = n - first < arity ? n : first + arity;
      std::size_t least = first;
      for (std::size_t c = first + 1; c < end; ++c) {
        if (heap_[c].deadline < heap_[least].deadline) least = c;
      }
      if (moving.deadline <= heap_[least].deadline) break;
      heap_[i] = std::move(heap_[least]);
      i = least;
    }
    heap_[i] = std::move(moving);
  }

  void remove_front() noexcept {
    if (heap_.size() > 1) heap_.front() = std::move(heap_.back());
    heap_.pop_back();
    if (heap_.size() > 1) sift_down(0);
    // Expired entries may have been among the stale ones; the count never exceeds what is there.
    if (stale_ > heap_.size()) stale_ = heap_.size();
  }

  std::vector<entry> heap_;
  std::size_t stale_ = 0;
};

}  // namespace weft::detail
