#pragma once
#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "sched/core.hpp"

// Fibers that hold a permit, are to begin, and get no stack: the kernel refused memory or guards
// below the promised limit. They wait, for the whole process, until a stack is free; nobody polls.
//
// INVARIANT. While a fiber waits, no stack of its class stays free for good:
//   F1 a carrier frees a stack: into its processor's cache, where the others do not see it
//   F2 it comes by its loop, at least every 61st switch and before it idles, and reads the count;
//      if it is not 0: F3 the cache is emptied into the arena   F4 as many are made ready
//   W1 a bind that failed: the fiber is listed, the count rises   W2 its carrier comes by its loop:
//      F2 to F4   W3 after W1 every resting monitor of the process is woken
//
// Proof that none is missed. Stack in the arena: F3 and the look of W2 (in F4) hold the lock of the
// class, so one is first. If F3, W2 finds the stack. If W2, then W1 is visible in the look at the
// waiting that follows F3. Stack in a cache, its carrier read 0 in F2 before W1: either the carrier
// comes by its loop again; or its processor is idle, and its runtime's monitor, which does not rest
// for long while the count is not 0 (W3), wakes it to come by.
//
// A stack in the cache of a processor whose fiber computes on is out of reach until that fiber
// parks, as is everything else there.
namespace weft::detail {
// How many wait. A line of its own: carriers read it whenever they come by their loop.
struct alignas(cache_line) stackless_count {
  atomic<std::uint32_t> now{0};
};
inline constinit stackless_count stackless{};

// relaxed: see the proof.
inline bool any_stackless() noexcept {
  return stackless.now.load(std::memory_order_relaxed) != 0;
}

// The carrier's loop: the unstarted fiber, which the caller has exclusively and cannot bind, is
// made ready when it may try again.
void wait_for_stack(control_block&) noexcept;
// After stacks went to the arena, any thread: who waited for them is ready.
void feed_stackless() noexcept;
// The monitor, at every tick while anybody waits: calls stacks in from idle processors; and once a
// second, or more often when nobody else can help, lets one fiber of each class try whether the
// kernel has relented. Or ends the process, when that is so for three seconds.
void tend_stackless(runtime_core&) noexcept;
}  // namespace weft::detail
