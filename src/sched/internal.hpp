#pragma once
#include "chaos.hpp"
#include "sched/children.hpp"
#include "sched/schedule.hpp"

// Shared by the files of this layer only.
namespace weft::detail {
inline constexpr std::uint32_t look_every = 61;  // switches between looks beyond the local queue
inline constexpr std::uint32_t slot_limit = 3;   // runs from the slot in a row

// Owner. The ring is full: it grows, or its oldest go to the inject queue; then the block is
// pushed.
[[gnu::noinline]] void make_room_slow(processor&, control_block*) noexcept;
// Owner. To the end of the ring.
inline void push_ring(processor& p, control_block* block) noexcept {
  if (!p.ring.push(block)) [[unlikely]]
    make_room_slow(p, block);
}
// Owner. The fiber in the slot, if the cap on runs from there allows (D6).
control_block* pick_slot_slow(processor&) noexcept;
// Chaos mode: the fiber may not resume on the carrier that holds `p`.
inline bool must_move(const processor& p, const control_block& block) noexcept {
  return block.trail.was_left_on(p.holder) &&
         (block.flags & (fiber_flag::started | fiber_flag::pinned)) == fiber_flag::started;
}
// Chaos mode. The carrier's loop, which has `next` exclusively: a spare gets the processor, and
// runs `next` there. False: no spare is to be had.
bool pass_on(thread_header*, control_block* next, bool& searching) noexcept;
// Chaos mode: the oldest of the ring becomes the youngest.
void reorder(processor&) noexcept;
// Owner. The next fiber of this processor: slot, then ring, then those of scopes. Null: nothing
// there, or time for the long way, which the carrier's loop takes (loop.cpp).
inline control_block* pick(processor& p) noexcept {
  if (chaos::strikes(chaos::point::order)) reorder(p);
  if (chaos::strikes(chaos::point::far)) p.tick = look_every;
  if (++p.tick >= look_every) [[unlikely]]
    return nullptr;
  if (p.slot.load(std::memory_order_relaxed)) {
    if (control_block* next = pick_slot_slow(p)) return next;
  }
  p.slot_streak = 0;
  control_block* const next = p.solo ? p.ring.pop_unshared() : p.ring.pop();
  return next ? next : pick_child(p);
}
// Owner. The same by the short way, on a fiber's stack.
inline control_block* pick_next(processor& p) noexcept {
  control_block* const next = pick(p);
  if (!next || !must_move(p, *next)) return next;
  push_ring(p, next);
  p.tick = look_every;
  return nullptr;
}
// Owner of a processor that thieves look at: to be run next.
void push_slot_shared(processor&, control_block*) noexcept;
// Owner. To be run next.
inline void push_slot(processor& p, control_block* block) noexcept {
  if (chaos::strikes(chaos::point::slot)) return push_ring(p, block);
  if (!p.solo) return push_slot_shared(p, block);
  control_block* const former = p.slot.load(std::memory_order_relaxed);
  p.slot.store(block, std::memory_order_relaxed);
  if (former) push_ring(p, former);
}
// Owner. Takes `block` off this processor's queues if it would be the next of one of them anyway:
// it lies in the slot, or is the oldest in the ring. True: the caller has it exclusively.
bool take_next_shared(processor&, control_block* block) noexcept;
inline bool take_next(processor& p, control_block* block) noexcept {
  if (chaos::strikes(chaos::point::direct) || must_move(p, *block)) return false;
  if (!p.solo) return take_next_shared(p, block);
  if (p.slot.load(std::memory_order_relaxed) != block) return p.ring.pop_if_unshared(block);
  p.slot.store(nullptr, std::memory_order_relaxed);
  return true;
}
// Owner. Everything pushed in the caller's batch is queued: wake a searcher if that is due.
void wake_for_local(processor&) noexcept;

// Binds a stack to an unstarted fiber. False: no stack is to be had now.
bool bind_stack(processor&, control_block&) noexcept;
// The carrier's loop, in its section: runs `next` (which has a stack) and whatever follows it,
// until some fiber has nothing to switch to.
void enter_from_loop(thread_header*, control_block* next) noexcept;
// A fiber whose thread has lost its processor: goes to the carrier's loop; `after` makes it ready.
// The header of the thread that resumes it is returned, in a section.
thread_header* resume_elsewhere(thread_header*, control_block& me, after_fn after) noexcept;
// First function of every fiber (entry.cpp).
void fiber_main(void* header) noexcept;

// Any thread. Wakes an idle processor to search, if there is one and nobody searches. `by`: the
// processor whose counters tell of it, null on a foreign thread.
void wake_one(runtime_core&, processor* by) noexcept;
// explored.cpp: what it is in an explored run.
void wake_explored(runtime_core&, processor* by) noexcept;

// idle.cpp: the lists of idle processors and spare carriers. `_locked`: idle_lock is held.
// A wake that has been decided under the lock and is carried out, with its system call, after it.
struct wake_call {
  carrier* who = nullptr;
  sleep_state found = sleep_state::awake;
};
// Gives the idle processor `p` to the sleeping carrier `to`: the one that sleeps with it, or a
// spare, which then changes places with that one.
wake_call give_idle_locked(runtime_core&, processor* p, carrier& to) noexcept;
void push_spare_locked(runtime_core&, carrier&) noexcept;
void unlist_spare_locked(runtime_core&, carrier&) noexcept;
wake_call hand_over_locked(carrier& to, processor* p, bool searching) noexcept;
void carry_out(runtime_core&, wake_call, processor* by) noexcept;
// A carrier without processor, which is on no list, takes an idle one to run on. False: none idle.
bool take_idle_processor(runtime_core&, thread_header*) noexcept;
// A running carrier gives its processor to one that starves for it, and has none then.
bool give_to_starving(runtime_core&, thread_header*, bool& searching) noexcept;

// loop.cpp
void carrier_loop(carrier&) noexcept;
// The wake on behalf of one push into the slot: held back while such wakes prove fruitless (D6).
void wake_for_slot(processor&) noexcept;
// Returns with a processor, or without when the runtime is stopping. What was found by the way is
// queued on that processor. `searching`: whether the carrier counts as a searcher, before and
// after.
void go_idle(carrier&, bool& searching) noexcept;
// The carrier has no processor: takes an idle one or sleeps until it is handed one.
void be_spare(carrier&, bool& searching) noexcept;
bool anything_queued(runtime_core&, carrier&) noexcept;
// monitor.cpp
void monitor_loop(runtime_core&) noexcept;
void wake_monitor_if_resting(runtime_core&) noexcept;
// spares.cpp: a thread for `p`. False: none to be had.
bool hand_to_spare(runtime_core&, processor*) noexcept;
// Monitor. A sleeping spare or a new one.
bool start_carrier_for(runtime_core&, processor*) noexcept;
// Any thread: takes `p` from a carrier inside the blocking() call that `state` tells of, and gives
// it to a thread that `find` has found.
void retake(runtime_core&, processor& p, std::uint64_t state,
            bool (*find)(runtime_core&, processor*) noexcept) noexcept;

void attach(thread_header*, carrier&, processor*) noexcept;
}  // namespace weft::detail
