#pragma once
#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "fiber/slab.hpp"
#include "queue/local_ring.hpp"
#include "sched/branch_list.hpp"
#include "sched/counters.hpp"
#include "sched/publication.hpp"
#include "stack/cache.hpp"

namespace weft::detail {
struct carrier;
struct child_deque;
struct runtime_core;
class timer_set;

// Who may touch a processor, in one word (D13). A carrier inside blocking() leaves it at
// `blocking`; whoever moves it from there by compare-and-swap owns the processor: the carrier
// coming back
// (-> running) or the monitor (-> taken, then a spare carrier's).
//
// A blocking state carries the number of the call. Without it the first carrier could come back
// after the processor was taken, run by a spare and left inside another blocking() call, and take
// that for its own.
namespace processor_state {
inline constexpr std::uint64_t idle = 0;
inline constexpr std::uint64_t running = 1;
inline constexpr std::uint64_t taken = 2;
inline constexpr std::uint64_t blocking = 3;  // in the low bits; the call's number above
constexpr std::uint64_t blocking_call(std::uint64_t number) noexcept {
  return number << 2 | blocking;
}
constexpr bool is_blocking(std::uint64_t state) noexcept {
  return (state & 3) == blocking;
}
}  // namespace processor_state

// processor::stamp counts these, 1.05 ms each, and wraps after 52 days.
inline constexpr nanos stamp_unit = nanos{1} << 20;
inline std::uint32_t stamp_now() noexcept {
  return static_cast<std::uint32_t>(coarse_now() / stamp_unit);
}

// The right to run fibers, and all that goes with it: a run queue, caches of blocks and stacks.
// There are as many as workers; a kernel thread holds at most one. "Owner": the carrier that holds
// it, inside a section. Type-stable, like the runtime core it belongs to.
struct alignas(cache_line) processor {
  // What a park is to do once the fiber is off its stack; lives from park() to after_park().
  struct publication {
    void (*publish)(control_block* parked, void* arg) noexcept = nullptr;
    void* arg = nullptr;
    bool cancellable = false;
  };

  // -- owner
  // -----------------------------------------------------------------------------------------
  runtime_core* core = nullptr;
  bool solo = false;                 // the only processor of its runtime: nobody steals here
  std::uint32_t tick = 0;            // switches since the last look beyond the local queue
  std::uint32_t true_tick = 0;       // while `diverted`
  bool diverted = false;             // `tick` stands at the limit: somebody watches (observe.hpp)
  std::uint32_t slot_streak = 0;     // runs from the slot in a row
  std::uint32_t last_slot_wake = 0;  // slot_pushes at the last wake on behalf of the slot
  // About now, in stamp_unit; what a park notes down instead of reading a clock. Written by the
  // monitor at each tick, and by the owner when it wakes a monitor that has rested.
  atomic<std::uint32_t> stamp{0};
  publication pending;
  publication_mark publishing;  // any thread reads
  stack dying;                  // the stack that after_exit gives back
  stack_class dying_class = 0;
  std::size_t permits = 0;   // stack permits in hand (D4)
  std::uint64_t serial = 0;  // next fiber id
  std::uint64_t serial_end = 0;
  slab_cache blocks;
  stack_cache stacks;
  random rng{1};
  std::uint64_t last_look = 0;      // ticks() of the last look at readiness
  timer_set* timers = nullptr;      // layer 7's
  std::uint64_t siblings_of = 0;    // the scope of a fiber that ends, if it is waited for
  std::uint64_t going_on_with = 0;  // a scope whose fibers had to let others go first
  std::uint32_t oldest_at = 0;      // the stamp when the oldest of `children` had its turn last
  bool children_first = false;      // at the next long look
  bool children_pass = false;       // likewise, when the slot has reached its cap
  control_block* spill[local_ring<control_block>::batch];  // scratch of make_room_slow

  // -- thieves too
  // ----------------------------------------------------------------------------------- The fiber
  // made ready last, to run next (D6). The owner stores into an empty slot and exchanges a full
  // one; a thief only takes what it has seen twice.
  alignas(cache_line) atomic<control_block*> slot{nullptr};
  atomic<std::uint32_t> slot_pushes{0};  // tells a thief whether it saw the same push twice
  local_ring<control_block> ring;
  atomic<child_deque*> children{nullptr};  // once there was one; owner makes it

  // -- any thread
  // ------------------------------------------------------------------------------------
  alignas(cache_line) atomic<std::uint64_t> state{processor_state::idle};
  atomic<carrier*> holder{nullptr};  // for the monitor and dumps
  std::uint32_t index = 0;
  processor* next_idle = nullptr;  // link in the idle list; under its lock
  bool listed_idle = false;        // likewise
  carrier* sleeper = nullptr;      // the carrier that went idle with it; likewise
  counters count;                  // owner writes, any thread reads
  branch_list branches;            // that have begun here
};
}  // namespace weft::detail
