// The run queue of one processor: a bounded FIFO ring with one owner and any number of thieves.
//
// The owner pushes at `tail_` and pops at `head_`; a thief takes the older half at `head_` into a
// ring of its own. Indices are 64 bits wide and never wrap: an index stands for one task for ever,
// so a compare-exchange on `head_` cannot succeed on an old value that has come round again,
// however long the thief slept between its load and its exchange.
//
//   slots_[i % Capacity] holds task i for head <= i < tail;  0 <= tail - head <= Capacity
//
// Who writes what: `tail_` and the slots, the owner alone. `head_`, whoever takes: the owner or a
// thief, only by a compare-exchange that adds what it takes. So index i is taken exactly once, by
// the exchange that moves head past it.
//
// Why a thief's copy is good. It reads head = h, then tail = t, copies the slots of [h, h + n) with
// n <= t - h, then exchanges h for h + n.
//   (1) The copied slots had been written: its acquire of tail pairs with the release in push.
//   (2) If the exchange succeeds, none of them was overwritten before the copy. The owner reuses
//       the slot of index i, h <= i < h + n, for i + Capacity only when it has read a head above i,
//       which is then the thief's own exchange or one after it. That read is an acquire (in push)
//       and the exchange a release, and exchanges by others in between continue its release
//       sequence, so the copy happens before the overwriting. If the exchange fails, the copy is
//       thrown away; it may have been torn over several laps, which is why slots are atomics, but
//       it was never used.
//   (3) t >= h: whoever moved head to h had seen a tail of at least h, and its release pairs with
//       the acquire of head here, which comes before the reading of tail. Without that the thief
//       could find a tail below its head, again and again. t - h above Capacity means that head
//       has moved on since: the exchange is bound to fail, and is not tried.
// The owner reads its own slots, with (2) read from its side: index head is its own until its
// exchange on head succeeds or fails.
//
// What the taken tasks point to is published by the same pair as the slots, (1).
#pragma once

#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"

namespace weft::detail {

// 1024 and not 256: once more fibers are ready than fit, each of their yields pays for its share of
// a spill and a refill, four times what a yield costs.
template <class T, std::uint32_t Capacity = 1024>
class alignas(cache_line) local_ring {
  static_assert(Capacity >= 2 && (Capacity & (Capacity - 1)) == 0, "a power of two, at least 2");

 public:
  // Owner. False: full (see pop_half).
  bool push(T* task) noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);  // only the owner writes it
    // Acquire pairs with the release exchange of every taker: their copies are done, proof (2).
    const std::uint64_t head = head_.load(std::memory_order_acquire);
    if (tail - head >= Capacity) return false;
    slot(tail).store(task, std::memory_order_relaxed);
    // Release pairs with the acquire of tail in steal_into: slot and task, proof (1).
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Owner. The oldest, or nullptr when empty.
  //
  // One locked instruction, also when no thief is near. To pop without it the owner would have to
  // keep some tasks where thieves cannot claim them, and they would wait for as long as the running
  // fiber computes.
  T* pop() noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    while (head != tail) {
      T* const task = slot(head).load(std::memory_order_relaxed);
      if (take(head, 1)) return task;
    }
    return nullptr;
  }

  // Owner of a ring that has no thieves (a runtime of one worker): the same without the locked
  // instruction, which is half of what a yield costs. The caller knows that nobody steals here;
  // others may still read size().
  T* pop_unshared() noexcept {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_relaxed)) return nullptr;
    T* const task = slot(head).load(std::memory_order_relaxed);
    // Release as in take, for size.
    head_.store(head + 1, std::memory_order_release);
    return task;
  }

  // Owner of a ring that has no thieves: the oldest leaves and `task` becomes the youngest, so
  // there is always room. Null, and nothing has happened: empty, or the oldest is not `wanted`.
  template <class Wanted>
  T* rotate_unshared(T* task, Wanted wanted) noexcept {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (head == tail) return nullptr;
    T* const oldest = slot(head).load(std::memory_order_relaxed);
    if (!wanted(*oldest)) return nullptr;
    slot(tail).store(task, std::memory_order_relaxed);
    // Release as in push and take, for size. Head first: it is never seen more than full.
    head_.store(head + 1, std::memory_order_release);
    tail_.store(tail + 1, std::memory_order_release);
    return oldest;
  }

  // Owner of a ring that has no thieves and is not empty: the oldest stays where it is.
  T* front_unshared() noexcept {
    return slot(head_.load(std::memory_order_relaxed)).load(std::memory_order_relaxed);
  }
  // Owner of a ring that has no thieves.
  std::uint64_t size_unshared() const noexcept {
    return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed);
  }

  // Owner, after push has said "full": takes out the Capacity/2 oldest, for the inject queue.
  // 0: thieves have made room meanwhile, so push again.
  std::uint32_t pop_half(T** out) noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (tail - head != Capacity) return 0;
    copy_out(head, half, out);
    return take(head, half) ? half : 0;
  }

  // A thief, which owns `mine`, a ring other than this one: takes the older half, rounded up.
  // Returns the oldest of them to run at once and leaves the others in `mine`: no more than fit
  // there. nullptr: this ring was seen empty. Tries again as long as it loses races, so a nullptr
  // never means "busy": the last look before sleep relies on it.
  T* steal_into(local_ring& mine) noexcept {
    const std::uint64_t my_tail = mine.tail_.load(std::memory_order_relaxed);
    const std::uint64_t room = mine.room(my_tail);
    for (;;) {
      // Acquire pairs with the release exchange that wrote this head, proof (3).
      std::uint64_t head = head_.load(std::memory_order_acquire);
      // Acquire pairs with the release of push, proof (1).
      const std::uint64_t tail = tail_.load(std::memory_order_acquire);
      const std::uint64_t queued = tail - head;
      if (queued == 0) return nullptr;
      if (queued > Capacity) continue;  // proof (3)
      std::uint64_t n = queued - queued / 2;
      if (n > room + 1) n = room + 1;
      // Copied straight into place beyond my_tail: nobody else looks there before it moves.
      T* const first = slot(head).load(std::memory_order_relaxed);
      for (std::uint64_t i = 1; i < n; ++i) {
        T* const task = slot(head + i).load(std::memory_order_relaxed);
        mine.slot(my_tail + i - 1).store(task, std::memory_order_relaxed);
      }
      if (!take(head, n)) continue;
      // Release as in push: thieves of `mine` acquire it.
      if (n > 1) mine.tail_.store(my_tail + n - 1, std::memory_order_release);
      return first;
    }
  }

  // Any thread; approximate while others push and take.
  std::uint32_t size() const noexcept {
    // Head first, and acquire, so that the difference is never below zero: as in proof (3).
    const std::uint64_t head = head_.load(std::memory_order_acquire);
    const std::uint64_t queued = tail_.load(std::memory_order_relaxed) - head;
    return queued > Capacity ? Capacity : static_cast<std::uint32_t>(queued);
  }

  static constexpr std::uint32_t capacity() noexcept { return Capacity; }
  static constexpr std::uint32_t half = Capacity / 2;

 private:
  using slot_type = atomic<T*>;

  slot_type& slot(std::uint64_t index) noexcept { return slots_[index & (Capacity - 1)]; }

  // Owner: how many more fit. Acquire as in push.
  std::uint64_t room(std::uint64_t tail) const noexcept {
    return Capacity - (tail - head_.load(std::memory_order_acquire));
  }

  void copy_out(std::uint64_t head, std::uint32_t n, T** out) noexcept {
    for (std::uint32_t i = 0; i < n; ++i) {
      out[i] = slot(head + i).load(std::memory_order_relaxed);
    }
  }

  // Takes [head, head + n); on failure `head` is what was found instead.
  // Release pairs with the acquire of head in push and room, proof (2), and in steal_into and size,
  // proof (3). Relaxed on failure: thieves read head anew, and the owner needs nothing from
  // another's taking.
  bool take(std::uint64_t& head, std::uint64_t n) noexcept {
    return head_.compare_exchange_strong(head, head + n, std::memory_order_release,
                                         std::memory_order_relaxed);
  }

  // On one line: whoever reads one of them reads the other, owner and thief alike.
  atomic<std::uint64_t> head_{0};
  atomic<std::uint64_t> tail_{0};
  alignas(cache_line) slot_type slots_[Capacity]{};
};

}  // namespace weft::detail
