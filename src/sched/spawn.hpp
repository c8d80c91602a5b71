#pragma once
#include "sched/core.hpp"

namespace weft::detail {
// Any thread. A block with a permit, a number and its runtime; the caller fills in the rest. Throws
// std::system_error when a limit is reached.
control_block* make_block(runtime_core&);
// Undoes make_block.
void unmake_block(control_block&) noexcept;
// The block is complete: the fiber may run from here on, even before this returns.
void start_block(control_block&) noexcept;
// The same without queueing it: the caller opens a wait in its name, and whoever claims that makes
// it ready. For coroutines that wait (task/coroutine_wait.cpp).
void start_block_parked(control_block&) noexcept;

// The process exits, and the calling thread has begun that: the runtime's fibers run no more. Other
// threads may wait for them until the process has gone.
inline bool is_frozen_by_me(const runtime_core& core) noexcept {
  // acquire: pairs with the store in default_runtime.cpp; frozen_by is visible.
  return core.frozen.load(std::memory_order_acquire) != 0 &&
         core.frozen_by.load(std::memory_order_relaxed) == current();
}

// This process is the child of a fork: no runtime has threads here.
bool has_forked() noexcept;
// From now on a child is told that it is one. To be called before there is anything that it would
// lack. Throws std::system_error if the handlers that run at a fork were refused as the program
// began, and are refused again.
void note_forks();
}  // namespace weft::detail
