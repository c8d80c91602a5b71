#pragma once
#include <cstddef>
#include <cstdint>

#include "base/atomic.hpp"
#include "stack/platform.hpp"
#include "stack/stack.hpp"

namespace weft::detail {
// A slot's name: the chunk's index, then the slot's within it. 0 is no slot (no chunk has index 0).
using slot_id = std::uint32_t;
inline constexpr unsigned slot_bits = 14;
inline constexpr std::size_t most_slots = std::size_t{1} << slot_bits;  // in a chunk
inline constexpr std::size_t most_chunks = 1 << 15;

inline constexpr std::size_t smallest_chunk = std::size_t{64} << 20;  // and every chunk's alignment
inline constexpr std::size_t largest_chunk = std::size_t{1} << 30;

// An odd number of pages, hence the one more: at a stride of 320 KiB the tops of all stacks would
// fall into a sixteenth of the sets of the second-level TLB and one page's worth of the
// second-level cache's, and a yield among a thousand fibers would be made of conflict misses. The
// page also makes up for the colouring: a fiber has no less than its class says.
inline constexpr std::size_t slot_bytes(stack_class c) noexcept {
  return guard_size + stack_class_bytes(c) + page_size;
}
static_assert(largest_chunk / slot_bytes(0) <= most_slots);

struct slot_links {
  slot_id next;
  slot_id before;
};

// The head of a chunk, in its first pages; behind it two links a slot (8 bytes: the arena's
// only bookkeeping for a stack), then the slots: [guard | stack] each. Never unmapped.
//
//   | head, links | guard | stack 0 | guard | stack 1 | ... |
struct chunk {
  std::byte* first;     // slot 0
  std::size_t stride;   // slot_bytes(cls)
  std::uint32_t index;  // in the table
  std::uint32_t slots;
  stack_class cls;
  // Slots below it have been handed out at least once. Written under the class's lock; relaxed
  // elsewhere: a fiber that faults on its stack was given it before.
  atomic<std::uint32_t> fresh;

  slot_links* links() noexcept { return reinterpret_cast<slot_links*>(this + 1); }
  std::byte* slot(std::uint32_t i) const noexcept { return first + i * stride; }
  slot_id id(std::uint32_t i) const noexcept { return index << slot_bits | i; }
};

// Which chunk an address lies in: two levels over the 47 bits of a user address, 64 MiB a step.
class chunk_table {
 public:
  // Makes `bytes` (a multiple of smallest_chunk) of memory into a chunk and publishes it. Null:
  // `os` refused, errno says why, or (errno 0) the table is full. One thread at a time.
  chunk* add(stack_class c, std::size_t bytes, const platform& os) noexcept;

  // Any thread, signal-safe, no lock.
  chunk* find(const void* address) const noexcept;
  chunk* at(slot_id id) const noexcept {
    // acquire: pairs with the release in add().
    return by_index_[id >> slot_bits].load(std::memory_order_acquire);
  }

  static stack stack_in(const chunk& in, std::uint32_t i) noexcept;

 private:
  static constexpr unsigned step_bits = 26;
  static constexpr unsigned leaf_bits = 11;
  static constexpr unsigned top_bits = 47 - step_bits - leaf_bits;
  struct leaf {
    atomic<std::uint16_t> index[1 << leaf_bits];  // 0: no chunk
  };
  static_assert(sizeof(leaf) == page_size);

  std::byte* map_aligned(std::size_t bytes, const platform& os) noexcept;
  bool make_leaves(std::byte* base, std::size_t bytes, const platform& os) noexcept;

  atomic<chunk*> by_index_[most_chunks] = {};
  atomic<leaf*> top_[1 << top_bits] = {};
  std::uint32_t chunks_ = 0;   // add() only
  std::byte* last_ = nullptr;  // the chunk mapped last: the next should lie right below it
};
}  // namespace weft::detail
