#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "trace/record.hpp"

namespace weft::detail {
// Events of one kernel thread on their way to the writer: one producer, one consumer, no lock. When
// it is full, events are dropped and counted; the producer never waits.
//
// INVARIANT: [tail, head) is written and belongs to the consumer, the rest to the producer.
class trace_ring {
 public:
  static constexpr std::uint64_t capacity = 1 << 14;  // 768 KiB: some 2 ms of the fastest switches

  // Producer. All of them or none. True: half a ring has been filled since the consumer was told.
  bool push(const void* records, std::uint64_t count) noexcept {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head + count - tail_seen_ > capacity) [[unlikely]] {
      // acquire: pairs with the release in pop(): the consumer has read what is overwritten now.
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head + count - tail_seen_ > capacity) {
        dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        return false;
      }
    }
    const auto* from = static_cast<const trace_record*>(records);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::memcpy(items_ + (head + i) % capacity * sizeof *from, from + i, sizeof *from);
    }
    // release: pairs with the acquire in pop().
    head_.store(head + count, std::memory_order_release);
    constexpr std::uint64_t half = capacity / 2;
    return head / half != (head + count) / half;
  }

  // Consumer. Calls use(record) for each; returns how many there were.
  template <class Use>
  std::uint64_t pop(Use&& use) {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    // acquire: pairs with the release in push().
    const std::uint64_t head = head_.load(std::memory_order_acquire);
    for (std::uint64_t i = tail; i != head; ++i) {
      trace_record record;
      std::memcpy(&record, items_ + i % capacity * sizeof record, sizeof record);
      use(record);
    }
    // release: pairs with the acquire in push().
    tail_.store(head, std::memory_order_release);
    return head - tail;
  }

  // Any thread. Calls of push() that found no room, in all.
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

  // What the thread is doing since when, for the end of a trace: a record that is not complete.
  // Written by the producer, read by the consumer, who may see a mixture of two and is content with
  // that: `since` is 0 while it is written.
  struct open_state {
    atomic<std::uint64_t> since{0};  // 0: nothing
    atomic<std::uint64_t> id{0};
    atomic<std::uint32_t> what{0};  // site << 16 | kind
    static constexpr std::size_t name_words = trace_text::size / sizeof(std::uint64_t);
    atomic<std::uint64_t> name[name_words] = {};  // the bytes of a trace_text
  };
  void open(traced kind, std::uint64_t since, std::uint64_t id, std::uint16_t site,
            const trace_text& name) noexcept {
    now_.since.store(0, std::memory_order_relaxed);
    std::uint64_t words[open_state::name_words];
    std::memcpy(words, name.text, sizeof words);
    for (std::size_t i = 0; i < open_state::name_words; ++i) {
      now_.name[i].store(words[i], std::memory_order_relaxed);
      if (words[i] == 0) break;  // the text ends in it at the latest
    }
    now_.id.store(id, std::memory_order_relaxed);
    now_.what.store(std::uint32_t{site} << 16 | static_cast<std::uint32_t>(kind),
                    std::memory_order_relaxed);
    now_.since.store(since, std::memory_order_relaxed);
  }
  void close() noexcept { now_.since.store(0, std::memory_order_relaxed); }
  const open_state& doing() const noexcept { return now_; }

  trace_ring* next = nullptr;  // the list of all rings: none is ever freed
  // Consumer's notes: the thread that the ring is of, and the drops it has told of.
  std::uint32_t tid = 0;
  std::uint64_t told_dropped = 0;

 private:
  alignas(cache_line) atomic<std::uint64_t> head_{0};
  std::uint64_t tail_seen_ = 0;  // producer's
  atomic<std::uint64_t> dropped_{0};
  open_state now_;
  alignas(cache_line) atomic<std::uint64_t> tail_{0};
  // Records as bytes: left alone by the constructor, so that only what is used becomes resident.
  std::byte items_[capacity * sizeof(trace_record)];
};
}  // namespace weft::detail
