#pragma once
#include "fiber/slab.hpp"
#include "sched/internal.hpp"

// Spawning on a fiber, for its own runtime, while the processor has everything in stock: no call,
// no lock. In a section.
namespace weft::detail {
// A block with a permit, a number and its runtime. Null: something is used up or in the way, and
// make_block sees to it.
inline control_block* make_from_stock(processor& p) noexcept {
  runtime_core& core = *p.core;
  if (p.permits == 0 || p.serial == p.serial_end ||
      core.slow_spawns.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    return nullptr;
  }
  control_block* block = p.blocks.take_if_any();
  if (!block) [[unlikely]]
    return nullptr;
  --p.permits;
  block->serial.store(p.serial++, std::memory_order_relaxed);
  block->size_class = core.default_class;
  // release: as in make_block.
  block->rt.store(&core, std::memory_order_release);
  return block;
}

// The block is complete: the fiber may run from here on.
inline void start_local(processor& p, control_block& block) noexcept {
  bump(p.count.spawned);
  push_slot(p, &block);
  if (p.solo) return;
  // Work beyond the slot is anybody's; the slot's alone is mostly run at once by a join.
  if (p.ring.size() > 0) {
    wake_for_local(p);
  } else {
    wake_for_slot(p);
  }
}
}  // namespace weft::detail
