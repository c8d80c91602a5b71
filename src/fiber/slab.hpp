#pragma once
#include <cstddef>
#include <cstdint>

#include "fiber/control_block.hpp"

// Where control blocks come from. Process-wide and type-stable: chunks are mapped and never
// unmapped, and a block that has been one stays one.
namespace weft::detail {
void drop_extras(control_block&) noexcept;  // extras.hpp

// Any thread. A list of up to `wanted` free blocks through `next`; throws std::system_error when
// the process may map no more.
control_block* slab_take(std::size_t wanted, std::size_t& taken);
// Any thread. A list of free blocks through `next`.
void slab_give(control_block* first, control_block* last) noexcept;
// Any thread: visits every block ever made. A visited block may be free or change hands meanwhile.
void slab_for_each(void (*visit)(control_block&, void* arg), void* arg) noexcept;
// Any thread, signal-safe: whether a block lies there.
bool slab_has(const void*) noexcept;
// In a forked child, by its one thread: another may have been at work on the lists, with the lock
// held, when the process was copied. They are left as they are, and a new chunk is begun.
void slab_forked() noexcept;
// Any thread. Ids are unique in the process; a processor takes a range at a time.
std::uint64_t take_serials(std::uint64_t count) noexcept;

// Voids the block's old tokens, frees its extras and makes it look unborn.
inline void renew_block(control_block& block) noexcept {
  block.serial.store(0, std::memory_order_relaxed);
  block.word.renew();
  if (block.extras.load(std::memory_order_relaxed)) [[unlikely]]
    drop_extras(block);
  block.joiner.store(nullptr, std::memory_order_relaxed);
  block.cancel.store(0, std::memory_order_relaxed);
  order_forget(&block.joiner);
  order_forget(&block.cancel);
  block.deadline = never;
  block.size_class = 0;  // the four together are one store
  block.flags = 0;
  block.waits_for = wait_kind::none;
  block.shielded = 0;
  block.deadline_level = 0;
}

// One for each processor; owner only. Also a plain thread's way, through a short-lived one.
class slab_cache {
 public:
  control_block* take() {
    if (!first_) [[unlikely]]
      refill_slow();
    return take_if_any();
  }
  // Null: none is at hand.
  control_block* take_if_any() noexcept {
    control_block* block = first_;
    if (!block) return nullptr;
    first_ = block->next;
    --count_;
    return block;
  }
  void give(control_block* block) noexcept {
    block->next = first_;
    first_ = block;
    if (++count_ > keep) [[unlikely]]
      spill_slow(keep / 2);
  }
  void flush() noexcept { spill_slow(0); }

 private:
  static constexpr std::size_t batch = 64;
  static constexpr std::size_t keep =
      16384;  // 3 MiB: a burst of short fibers stays out of the lock
  void refill_slow();
  void spill_slow(std::size_t leave) noexcept;

  control_block* first_ = nullptr;
  std::size_t count_ = 0;
};
}  // namespace weft::detail
