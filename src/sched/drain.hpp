#pragma once
#include "base/asymmetric_fence.hpp"
#include "base/futex.hpp"
#include "sched/core.hpp"

// Waiting for the last fiber of a runtime without a shared counter that every spawn and end would
// fight for: each processor counts its own.
namespace weft::detail {
// Fibers that have been spawned and have not ended. Ends are read before spawns, and every end was
// preceded by its spawn: so 0 means that at some moment in between there was none, and that none
// has been spawned since. Internal fibers count.
//
// INVARIANT. A spawn is counted before the fiber is where anybody could take it, by whoever puts it
// there: the store that publishes it releases the count as well, and so who ends it has seen the
// count. start_local and start_block, start_child, announce in branches.cpp.
inline std::uint64_t alive(const runtime_core& core) noexcept {
  std::uint64_t ended = 0;
  // acquire: pairs with the release of bump_release(finished); an end that is seen brings with it
  // the spawn counted before it.
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    ended += core.processors[i]->count.finished.load(std::memory_order_acquire);
  }
  std::uint64_t spawned = core.foreign_spawned.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    spawned += core.processors[i]->count.spawned.load(std::memory_order_acquire);
  }
  return spawned - ended;
}

// Owner, after counting an end. The light side of: {count the end; fence; look at draining}. The
// heavy side is wait_drained's {set draining; fence; sum the counts}.
inline void tell_if_draining(runtime_core& core) noexcept {
  order_release(&core.drained);  // pairs with wait_drained
  light_fence();
  if (core.draining.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    core.drained.fetch_add(1, std::memory_order_release);
    futex_wake(&core.drained, 1);
  }
}

// A kernel thread: waits until no fiber is left or the deadline has passed; false: some are.
inline bool wait_drained(runtime_core& core, nanos deadline) noexcept {
  core.draining.store(1, std::memory_order_relaxed);
  heavy_fence();
  for (;;) {
    // acquire: pairs with the release above; the count of that end is visible.
    const std::uint32_t seen = core.drained.load(std::memory_order_acquire);
    if (alive(core) == 0) break;
    if (!futex_wait(&core.drained, seen, deadline)) {
      if (alive(core) == 0) break;
      return false;
    }
  }
  order_acquire(&core.drained);  // pairs with tell_if_draining
  return true;
}
}  // namespace weft::detail
