#pragma once
#include "sched/core.hpp"
#include "stack/arena.hpp"

// A stack permit is the right to one stack of those that the guard tier can guard (D4). Spawning
// takes one and throws without; the end of the fiber gives it back. In batches, so that a spawn
// counts in a plain integer. Owner of the processor.
namespace weft::detail {
inline constexpr std::size_t permit_batch = 64;

inline bool take_permit(processor& p) noexcept {
  if (p.permits > 0) [[likely]] {
    --p.permits;
    return true;
  }
  for (std::size_t wanted = permit_batch; wanted > 0; wanted /= 4) {
    if (stack_arena::instance().acquire_permits(wanted)) {
      p.permits = wanted - 1;
      return true;
    }
  }
  return false;
}

inline void put_permit(processor& p) noexcept {
  if (++p.permits > 4 * permit_batch) [[unlikely]] {
    // Keeps a batch of slack either way, so that no pattern of spawns and ends calls out every
    // time.
    stack_arena::instance().release_permits(2 * permit_batch);
    p.permits -= 2 * permit_batch;
  }
}
}  // namespace weft::detail
