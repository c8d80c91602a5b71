// The run queue of one processor: a FIFO ring with one owner and any number of thieves, which grows
// up to a limit.
//
// The owner pushes at `tail_` and pops at `head_`; a thief takes the older half at `head_` into a
// ring of its own. Indices are 64 bits wide and never wrap: an index stands for one task for ever,
// so a compare-exchange on `head_` cannot succeed on an old value that has come round again,
// however long the thief slept between its load and its exchange.
//
//   slots[i % capacity] of the current buffer holds task i for head <= i < tail;
//   0 <= tail - head <= capacity
//
// A full ring gets a new buffer, twice as large: the owner copies [head, tail) to the same indices,
// and publishes the buffer by storing its level, capacity = First << level. A buffer that has been
// left is never written again, and stays until the ring is destroyed, because a thief may be
// reading it.
//
// Who writes what: `tail_`, `level_` and the slots, the owner alone. `head_`, whoever takes: the
// owner or a thief, only by a compare-exchange that adds what it takes. So index i is taken exactly
// once, by the exchange that moves head past it.
//
// Why a thief's copy is good. It reads head = h, then tail = t, then the level; copies the slots of
// [h, h + n) with n <= t - h from that level's buffer B; then exchanges h for h + n.
//   (1) If the exchange succeeds, the copied slots of B had been written, each with its task i.
//       Task i < t was pushed into some buffer A, which was published before that push, and the
//       thief's acquire of tail pairs with the release in push: so the level it reads then is A's
//       or a later one. B = A: the same pair makes the slot visible. B later: growth copied task i
//       from A on to B, and its release of the level pairs with the thief's acquire. Only what lay
//       below the head that growth had read was not copied; but that head happened before the
//       publication, so the exchange finds it or a later one, above i >= h, and fails.
//       Tail must be read first. A level from before the tail might be one that task i was never
//       in.
//   (2) If the exchange succeeds, none of them was overwritten before the copy. The owner reuses
//       the slot of index i, h <= i < h + n, in the same buffer only, for i + capacity, and only
//       when it has read a head above i, which is then the thief's own exchange or one after it.
//       That read is an acquire (in push) and the exchange a release, and exchanges by others in
//       between continue its release sequence, so the copy happens before the overwriting. If the
//       exchange fails, the copy is thrown away; it may have been torn over several laps, which is
//       why slots are atomics, but it was never used.
//   (3) t >= h: whoever moved head to h had seen a tail of at least h, and its release pairs with
//       the acquire of head here, which comes before the reading of tail. Without that the thief
//       could find a tail below its head, again and again. t - h above B's capacity means that head
//       has moved on since, for B is the buffer of the push that made the tail t or a later one:
//       the exchange is bound to fail, and is not tried.
// The owner reads its own slots, with (2) read from its side: index head is its own until its
// exchange on head succeeds or fails. It reads `slots_` and `mask_`, which it alone writes: no
// load of the level, and no order.
//
// What the taken tasks point to is published by the same pair as the slots, (1).
#pragma once

#include <bit>
#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "queue/slot_memory.hpp"

namespace weft::detail {

// 131072 and not 1024: a fiber that does not fit goes through the inject queue, which writes a link
// into its cold block and reads it there; once more are ready than fit, each yield pays for that,
// ten times what it costs otherwise. All buffers together take twice the largest, 2 MiB.
//
// Memory: as slot_memory.
template <class T, std::uint32_t First = 256, std::uint32_t Most = 131072,
          class Memory = slot_memory>
class alignas(cache_line) local_ring {
  static_assert(First >= 2 && std::has_single_bit(First), "a power of two, at least 2");
  static_assert(Most >= First && std::has_single_bit(Most), "a power of two, at least First");

 public:
  local_ring() = default;
  local_ring(const local_ring&) = delete;
  local_ring& operator=(const local_ring&) = delete;
  // Nobody else may be left.
  ~local_ring() {
    for (std::uint32_t level = 1; level < levels; ++level) {
      if (buffers_[level]) Memory::release(buffers_[level], std::size_t{First} << level);
    }
  }

  // Owner. False: full; see grow_slow, then pop_batch.
  bool push(T* task) noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);  // only the owner writes it
    // Acquire pairs with the release exchange of every taker: their copies are done, proof (2).
    const std::uint64_t head = head_.load(std::memory_order_acquire);
    if (tail - head > mask_) return false;
    slot(tail).store(task, std::memory_order_relaxed);
    // Release pairs with the acquire of tail in steal_into: slot and task, proof (1).
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Owner, after push has said "full": doubles the capacity. False: it is at its limit, or memory
  // is refused. Apart from push, so that push is a leaf and stays short where it is inlined.
  [[gnu::noinline]] bool grow_slow() noexcept {
    const std::uint32_t level = level_.load(std::memory_order_relaxed) + 1;
    if (level == levels) return false;
    slot_type* const larger = Memory::template allocate<slot_type>(std::size_t{First} << level);
    if (!larger) return false;
    const std::uint64_t mask = (std::uint64_t{First} << level) - 1;
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    // Relaxed: nothing is overwritten on the strength of it. An old one copies what has been taken
    // meanwhile, and nobody looks there.
    for (std::uint64_t i = head_.load(std::memory_order_relaxed); i != tail; ++i) {
      larger[i & mask].store(slot(i).load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    buffers_[level] = larger;
    slots_ = larger;
    mask_ = mask;
    // Release pairs with the acquire of the level in steal_into: the copied slots, proof (1).
    level_.store(level, std::memory_order_release);
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

  // What rotate_unshared found, and two things that are known by the way: to ask again would load
  // the indices, the slots' place and their number anew.
  struct rotation {
    T* oldest = nullptr;
    std::uint64_t queued = 0;
    const atomic<T*>* front_slot = nullptr;

    T* front() const noexcept { return front_slot->load(std::memory_order_relaxed); }
  };
  // Owner of a ring that has no thieves: the oldest leaves and `task` becomes the youngest, so
  // there is always room. No oldest, and nothing has happened: empty, or it is not `wanted`.
  template <class Wanted>
  rotation rotate_unshared(T* task, Wanted wanted) noexcept {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (head == tail) [[unlikely]]
      return {};
    slot_type* const slots = slots_;
    const std::uint64_t mask = mask_;
    T* const oldest = slots[head & mask].load(std::memory_order_relaxed);
    if (!wanted(*oldest)) [[unlikely]]
      return {};
    slots[tail & mask].store(task, std::memory_order_relaxed);
    // Release as in push and take, for size. Head first: it is never seen more than full.
    head_.store(head + 1, std::memory_order_release);
    tail_.store(tail + 1, std::memory_order_release);
    return {oldest, tail - head, &slots[(head + 1) & mask]};
  }

  // Owner: takes the oldest if it is `task`.
  bool pop_if(T* task) noexcept {
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    return head != tail_.load(std::memory_order_relaxed) &&
           slot(head).load(std::memory_order_relaxed) == task && take(head, 1);
  }
  // Owner of a ring that has no thieves: the same.
  bool pop_if_unshared(T* task) noexcept {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_relaxed) ||
        slot(head).load(std::memory_order_relaxed) != task) {
      return false;
    }
    // Release as in take, for size.
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // Owner, when the ring is full and does not grow: takes out the oldest, half of all but at most
  // `batch`, for the inject queue. 0: thieves have made room meanwhile, so push again.
  std::uint32_t pop_batch(T** out) noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (tail - head <= mask_) return 0;
    const std::uint64_t half = (mask_ + 1) / 2;
    const auto n = static_cast<std::uint32_t>(half < batch ? half : batch);
    for (std::uint32_t i = 0; i < n; ++i) {
      out[i] = slot(head + i).load(std::memory_order_relaxed);
    }
    return take(head, n) ? n : 0;
  }

  // A thief, which owns `mine`, a ring other than this one: takes the older half, rounded up, but
  // at most `batch`: while it copies, no owner may pop, or all was for nothing. Returns the oldest
  // of them to run at once and leaves the others in `mine`: no more than fit there as it is.
  // nullptr: this ring was seen empty. Tries again as long as it loses races, so a nullptr never
  // means "busy": the last look before sleep relies on it.
  T* steal_into(local_ring& mine) noexcept {
    const std::uint64_t my_tail = mine.tail_.load(std::memory_order_relaxed);
    const std::uint64_t room = mine.room();
    const std::uint64_t most = room < batch ? room + 1 : batch;
    for (;;) {
      // Acquire pairs with the release exchange that wrote this head, proof (3).
      std::uint64_t head = head_.load(std::memory_order_acquire);
      // Acquire pairs with the release of push, proof (1).
      const std::uint64_t tail = tail_.load(std::memory_order_acquire);
      const std::uint64_t queued = tail - head;
      if (queued == 0) return nullptr;
      // Acquire pairs with the release of grow_slow, proof (1). After tail.
      const std::uint32_t level = level_.load(std::memory_order_acquire);
      const std::uint64_t mask = (std::uint64_t{First} << level) - 1;
      const slot_type* const slots = buffers_[level];
      if (queued > mask + 1) continue;  // proof (3)
      std::uint64_t n = queued - queued / 2;
      if (n > most) n = most;
      // Copied straight into place beyond my_tail: nobody else looks there before it moves.
      T* const first = slots[head & mask].load(std::memory_order_relaxed);
      for (std::uint64_t i = 1; i < n; ++i) {
        T* const task = slots[(head + i) & mask].load(std::memory_order_relaxed);
        mine.slot(my_tail + i - 1).store(task, std::memory_order_relaxed);
      }
      if (!take(head, n)) continue;
      // Release as in push: thieves of `mine` acquire it.
      if (n > 1) mine.tail_.store(my_tail + n - 1, std::memory_order_release);
      return first;
    }
  }

  // Owner: how many more fit without growing. Acquire as in push.
  std::uint64_t room() const noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    return mask_ + 1 - (tail - head_.load(std::memory_order_acquire));
  }

  // Any thread; approximate while others push and take.
  std::uint32_t size() const noexcept {
    // Head first, and acquire, so that the difference is never below zero: as in proof (3).
    const std::uint64_t head = head_.load(std::memory_order_acquire);
    const std::uint64_t queued = tail_.load(std::memory_order_relaxed) - head;
    return queued > Most ? Most : static_cast<std::uint32_t>(queued);
  }

  // How many tasks move at once, at most, out of the ring or from one ring to another.
  static constexpr std::uint32_t batch = Most / 2 < 512 ? Most / 2 : 512;

 private:
  using slot_type = atomic<T*>;
  static constexpr std::uint32_t levels = std::countr_zero(Most) - std::countr_zero(First) + 1;

  slot_type& slot(std::uint64_t index) noexcept { return slots_[index & mask_]; }

  // Takes [head, head + n); on failure `head` is what was found instead.
  // Release pairs with the acquire of head in push and room, proof (2), and in steal_into and size,
  // proof (3). Relaxed on failure: thieves read head anew, and the owner needs nothing from
  // another's taking.
  bool take(std::uint64_t& head, std::uint64_t n) noexcept {
    return head_.compare_exchange_strong(head, head + n, std::memory_order_release,
                                         std::memory_order_relaxed);
  }

  // On one line: whoever reads one of them reads the others, owner and thief alike.
  atomic<std::uint64_t> head_{0};
  atomic<std::uint64_t> tail_{0};
  slot_type* slots_ = first_;       // of the current buffer; owner
  std::uint64_t mask_ = First - 1;  // its capacity - 1; owner
  atomic<std::uint32_t> level_{0};  // of the current buffer
  // By level. An entry is written before its level is published, and never again.
  alignas(cache_line) slot_type* buffers_[levels]{first_};
  alignas(cache_line) slot_type first_[First]{};
};

}  // namespace weft::detail
