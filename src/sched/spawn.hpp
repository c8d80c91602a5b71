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

// This process is the child of a fork: no runtime has threads here.
bool has_forked() noexcept;
void note_forks();  // registers the fork handler, once
}  // namespace weft::detail
