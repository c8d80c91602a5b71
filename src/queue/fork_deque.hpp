// What a fiber offers to thieves while it runs: a stack for its owner, a queue for everybody else.
//
// The owner pushes and pops at `bottom_`; thieves take the oldest, one at a time, at `top_`. The
// oldest is the call nearest the root, so what moves to another processor is mostly a whole
// subtree. (Chase and Lev, SPAA 2005; the orders are our own, proved below.)
//
//   slots[i % Capacity] holds task i for top <= i < bottom, and bottom - top <= Capacity
//
// `top_` only rises, by a compare-exchange that adds one. `bottom_` is the owner's: it goes up and
// down, so an index is used again, but only above `top_`. The owner does not need to be told what
// it popped: it is what it pushed last, and has not popped since.
//
// INVARIANT. Each task is taken once: by the pop that says true, or by the steal that returns it.
// A task at index i leaves in one of three ways: a steal moves top from i to i + 1; the owner
// does, when it pops the last one; or the owner lowers bottom to i and then reads top < i.
//   (1) Two that move top from i exclude one another: it is one compare-exchange.
//   (2) A steal of i and the owner's third way exclude one another. Say the owner lowered bottom to
//       i and then read a top < i, and a thief reads top == i and then bottom. In the order S of
//       the sequentially consistent operations the owner's two come one after the other, and
//       behind them whatever exchange by a thief made top i: had it come before, the owner would
//       have read i. Or the owner itself made it i, later. The thief's acquire of top puts its
//       reading of bottom behind that exchange, hence behind the lowering: it found i, and does not
//       try; or it found what a later push stored, and then the task at i is a new one.
//   (3) The owner, when it finds top == i after lowering, tries the same exchange as the thieves,
//       and (1) holds. top > i: all were stolen. Either way bottom goes back to i + 1, which is
//       top then: empty.
//   (4) What the thief returns is task i. Its load of bottom found a value above i, stored by the
//       push of i, or later in bottom's modification order: the push's release, or the thief's
//       reading of an exchange by the owner behind that push, makes the slot visible, and what the
//       task points to. The slot is written again only for i + Capacity, and only when the owner
//       has read top > i with acquire: then the thief's exchange fails, or has succeeded before,
//       and its load of the slot with it (the exchange is a release).
// Model: tests/model/fork_deque.cpp.
#pragma once

#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"

namespace weft::detail {
template <class T, std::uint32_t Capacity>
class alignas(cache_line) fork_deque {
  static_assert((Capacity & (Capacity - 1)) == 0, "a power of two");

 public:
  fork_deque() = default;
  fork_deque(const fork_deque&) = delete;
  fork_deque& operator=(const fork_deque&) = delete;

  // Owner: whether `count` more find room.
  bool fits(std::uint64_t count) noexcept {
    const std::uint64_t wanted = bottom_.load(std::memory_order_relaxed) + count;
    if (wanted <= full_at_) [[likely]]
      return true;
    // acquire: pairs with the exchange in steal, proof (4).
    full_at_ = top_.load(std::memory_order_acquire) + Capacity;
    return wanted <= full_at_;
  }

  // Owner, after fits.
  void push(T* task) noexcept {
    const std::uint64_t bottom = bottom_.load(std::memory_order_relaxed);
    slots_[bottom % Capacity].store(task, std::memory_order_relaxed);
    // release: pairs with the load of bottom in steal, proof (4).
    bottom_.store(bottom + 1, std::memory_order_release);
  }

  // Owner, who has pushed before. True: the youngest is its own again. False: all are stolen.
  bool pop() noexcept {
    const std::uint64_t last = bottom_.load(std::memory_order_relaxed) - 1;
    // seq_cst, both: pair with the load of bottom and the exchange of top in steal. An exchange,
    // because a store and a fence cost the same and the model checker knows it better.
    bottom_.exchange(last, std::memory_order_seq_cst);
    std::uint64_t top = top_.load(std::memory_order_seq_cst);
    if (top < last) [[likely]]
      return true;
    // release: pairs with the load of top in steal, proof (2).
    const bool mine =
        top == last && top_.compare_exchange_strong(top, last + 1, std::memory_order_release,
                                                    std::memory_order_relaxed);
    // relaxed: a thief that finds it finds nothing at that index, or fails.
    bottom_.store(last + 1, std::memory_order_relaxed);
    return mine;
  }

  // Owner: what a pop would make its own, unless it has been stolen, now or before. Null: empty.
  T* youngest() const noexcept {
    if (empty()) return nullptr;
    const std::uint64_t bottom = bottom_.load(std::memory_order_relaxed);
    return slots_[(bottom - 1) % Capacity].load(std::memory_order_relaxed);
  }

  // Any thread. The oldest; null: empty.
  T* steal() noexcept {
    for (;;) {
      // acquire: pairs with the exchanges of top, here and in pop, proof (2).
      std::uint64_t top = top_.load(std::memory_order_acquire);
      // seq_cst: pairs with the exchange of bottom in pop, proof (2); as an acquire, proof (4).
      const std::uint64_t bottom = bottom_.load(std::memory_order_seq_cst);
      if (top >= bottom) return nullptr;
      T* const task = slots_[top % Capacity].load(std::memory_order_relaxed);
      // seq_cst: proofs (1), (2); as a release, (4).
      if (top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                       std::memory_order_relaxed)) {
        return task;
      }
    }
  }

  // Any thread, approximate. The owner: exact, but for what is being stolen.
  bool empty() const noexcept {
    return top_.load(std::memory_order_relaxed) >= bottom_.load(std::memory_order_relaxed);
  }
  // Any thread, approximate.
  std::uint32_t size() const noexcept {
    const std::uint64_t top = top_.load(std::memory_order_relaxed);
    const std::uint64_t bottom = bottom_.load(std::memory_order_relaxed);
    return top < bottom ? static_cast<std::uint32_t>(bottom - top) : 0;
  }

 private:
  // The owner's line, which thieves only read, and theirs, which the owner only reads.
  atomic<std::uint64_t> bottom_{0};
  std::uint64_t full_at_ = Capacity;  // what top was when last looked at, + Capacity; owner
  alignas(cache_line) atomic<std::uint64_t> top_{0};
  alignas(cache_line) atomic<T*> slots_[Capacity];
};
}  // namespace weft::detail
