#pragma once
#include "queue/fork_deque.hpp"
#include "sched/processor.hpp"
#include "sched/schedule.hpp"

// Fibers of scopes that have not begun yet. A tree of scopes is run depth first, as calls would be:
// breadth first, all inner fibers of a large tree are parked on stacks of their own before the
// first leaf runs. So such fibers do not go to the ring, but to a deque: thieves and passers-by
// take the oldest, mostly a whole subtree. The youngest is taken by two only: the fiber that waits
// for its scope, if the youngest is of that scope, and so is run next; and a fiber that ends, if
// its scope is waited for and the youngest is its sibling.
//
// Nothing is starved by that. Every 61st switch goes the long way (loop.cpp), where the deque has
// the first turn every other time, before the ring and whatever was injected; so it has, while
// others wake one another by the slot, when the cap on that strikes (switch.cpp). If the stamp has
// moved on since the oldest had its turn, which it does with the monitor's ticks, 10 ms at most,
// the deque's turn is its oldest's. So one that nobody waits for begins after one such turn for
// itself and for each that is older, however many trees come and go: a tick, or 122 switches where
// these take longer.
//
// INVARIANT. Who has taken a block out has it exclusively: fork_deque's. A processor's deque is
// used by who owns the processor, in a section, and handed over with it, as its ring is.
namespace weft::detail {
struct child_deque {
  static constexpr std::uint32_t capacity = 4096;  // further ones go where others go
  fork_deque<control_block, capacity> queued;
};

// What a scope's fibers have in control_block::joiner_epoch: the scope's address, and from their
// end on this bit, if somebody waits for others of it.
inline constexpr std::uint64_t siblings_are_awaited = 1;

// The block is complete, and its joiner_epoch is the scope's address: the fiber may run from here
// on.
void start_child(control_block&) noexcept;
// As park_fiber, by who waits for all fibers of `scope`.
wake_reason park_for_children(const void* scope, bool cancellable, publish_fn publish,
                              void* arg) noexcept;

// Owner. After the end of a fiber whose scope is `p.siblings_of`: what pick_next says, but a
// sibling first.
control_block* pick_sibling(processor& p) noexcept;
// Owner. One of the deque, by its turn. Null: empty.
control_block* pick_child(processor& p) noexcept;
// A thief.
control_block* steal_child(runtime_core&, processor& me, std::uint32_t first) noexcept;
// The runtime has ended: the next one on this processor begins without a deque, and without a scope
// to go on with.
void forget_children(processor&) noexcept;
// Any thread, approximate.
bool has_children(const processor& p) noexcept;
std::uint32_t count_children(const processor& p) noexcept;
}  // namespace weft::detail
