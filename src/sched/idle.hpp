#pragma once
#include <cstdint>

#include "base/atomic.hpp"

// Who is idle: the word that producers of work read and processors without work write.
//
//   bits 0..15  searching: processors that have nothing and are looking at all queues
//   bits 16..31 idle: processors that have given up looking
//
// INVARIANT. If work lies in a queue that processors look at, then a processor is running fibers
// with that queue as its own, or one is searching, or one is being woken, or one will yet look at
// every queue before it sleeps.
//
// Producers:   P1 push the work             P2 read the word; if idle > 0 and searching == 0, wake
// one Processors:  Q1 {searching, idle} += {-1, +1} (or idle += 1 from running)
//              Q2 look at every queue       Q3 sleep, unless Q2 found something
//
// Proof. P1 into the inject queue and Q1 are seq_cst read-modify-writes, P2 and the reads of Q2 are
// seq_cst. Suppose a producer wakes nobody in P2.
//   (a) It read idle == 0. Then Q1 of every processor that goes idle comes after P2 in the single
//       order, hence after P1, and its Q2 sees the work. If none ever goes idle, all run or search,
//       and a running processor looks at the inject queue every 61 switches and when it has nothing
//       else.
//   (b) It read searching > 0. That searcher's Q1 (or its step from searching to running) comes
//   after
//       P2. If it goes idle, as in (a). If it found work, it wakes another before it runs it
//       whenever it was the last one searching (`found`), and that one searches in turn: the chain
//       ends only with a searcher that goes idle through Q1 and Q2, which sees the work, or with
//       nobody idle.
// A wake counts the woken processor as searching before it runs (`woken`), so two producers do not
// wake two, and a woken one that finds nothing goes through Q1 and Q2 like any other.
//
// Work pushed by a processor into its own ring or slot needs no fence: its owner is awake and will
// run it. A push that misses a processor going idle at that instant costs parallelism until the
// next push or the monitor's next tick, never progress.
namespace weft::detail {
class idle_word {
 public:
  struct view {
    std::uint32_t searching;
    std::uint32_t idle;
  };

  // P2. seq_cst: pairs with the read-modify-writes below.
  bool should_wake() const noexcept {
    const std::uint32_t seen = word_.load(std::memory_order_seq_cst);
    return (seen & searching_mask) == 0 && seen >= one_idle;
  }
  view look() const noexcept {
    const std::uint32_t seen = word_.load(std::memory_order_relaxed);
    return {seen & searching_mask, seen >> idle_shift};
  }

  // seq_cst: the monitor's half of going to rest; pairs with woken().
  bool all_idle(std::uint32_t processors) const noexcept {
    return word_.load(std::memory_order_seq_cst) >> idle_shift == processors;
  }
  // The runtime has ended.
  void reset() noexcept { word_.store(0, std::memory_order_relaxed); }

  // A running processor starts to search, unless `limit` do already.
  bool try_search(std::uint32_t limit) noexcept {
    if ((word_.load(std::memory_order_relaxed) & searching_mask) >= limit) return false;
    word_.fetch_add(one_searching, std::memory_order_seq_cst);
    return true;
  }
  // A searcher found work. True: it was the last one, and must wake another if any is idle.
  bool found() noexcept {
    const std::uint32_t before = word_.fetch_sub(one_searching, std::memory_order_seq_cst);
    return (before & searching_mask) == 1 && before >= one_idle;
  }
  // Q1, under the lock of the idle list.
  void went_idle(bool was_searching) noexcept {
    word_.fetch_add(one_idle - (was_searching ? one_searching : 0), std::memory_order_seq_cst);
  }
  // Under the lock of the idle list: an idle processor was taken off it, to search or to run.
  void woken(bool to_search) noexcept {
    word_.fetch_add((to_search ? one_searching : 0) - one_idle, std::memory_order_seq_cst);
  }

 private:
  static constexpr std::uint32_t searching_mask = 0xffff;
  static constexpr std::uint32_t one_searching = 1;
  static constexpr std::uint32_t one_idle = 1 << 16;
  static constexpr int idle_shift = 16;

  atomic<std::uint32_t> word_{0};
};
}  // namespace weft::detail
