#pragma once
#include <cstdint>

#include "sched/core.hpp"
#include "trace/ring.hpp"

// Watching fibers at a cost of nothing while nobody watches: traces (trace/trace.hpp), probes
// (trace/probes.hpp), the measuring of stacks (stack/high_water.hpp).
//
// None of the hot paths has a branch for it. In a runtime that is observed they are closed instead,
// by means of words that they look at anyway:
//   processor::tick       stands at look_every whenever a fiber runs. So pick_next, a hand-over at
//                         a fiber's end, a direct join and the short yield decline, and every
//                         switch goes through the carrier's loop. There the true count is put back.
//   core.slow_spawns      is not 0, so spawning takes the long way
//   fiber_flag::observed  sends make_ready down the branch of pinned fibers
// The loop sees before each switch whether the runtime is observed, and so does spawning on its
// long way. It costs an observed runtime one more switch for each, and its fibers run in the order
// in which they would otherwise, but for direct hand-overs, which go through the slot.
namespace weft::detail {
// Values of runtime_core::observed, together.
namespace observed_by {
inline constexpr std::uint32_t trace = 1;
inline constexpr std::uint32_t probes = 2;
inline constexpr std::uint32_t stacks = 4;
inline constexpr std::uint32_t scrub = 8;  // nobody watches: a stack is cleared at its fiber's end
}  // namespace observed_by

// What a carrier knows of the fiber that it runs, for when its block is gone.
struct observer {
  trace_ring* ring = nullptr;  // null: no memory, and no events
  trace_record running;        // id 0: none
  trace_text name;             // of that fiber, or empty
};

inline bool is_observed(const runtime_core& core) noexcept {
  return core.observed.load(std::memory_order_relaxed) != 0;
}

inline bool scrubs(const runtime_core& core) noexcept {
  return (core.observed.load(std::memory_order_relaxed) & observed_by::scrub) != 0;
}

// Start of a runtime, before its threads, or any time later for probes.
void begin_observing(runtime_core&, std::uint32_t by) noexcept;
void end_observing(runtime_core&, std::uint32_t by) noexcept;
// The monitor, at each tick: whether tools have come or gone.
void look_for_probes(runtime_core&) noexcept;

// A carrier's loop, at its start.
void observe_thread(thread_header*) noexcept;
// A carrier's loop, or blocking(), just before it runs `next`, which has a stack. `begins`: for the
// first time.
void observe_run(thread_header*, control_block& next, bool begins) noexcept;
// On the fiber's own stack, when its callable has returned and before anybody is told: so who joins
// it finds its stack measured.
void observe_end(const control_block& me) noexcept;
// On the fiber's own stack, before the switch to the carrier's loop. `me` is null at its end: the
// block may be another's already.
void observe_stop(thread_header*, const control_block* me) noexcept;
// The same at the start of blocking(), whose end comes first of all at the other end.
void observe_blocking(thread_header*, const control_block& me) noexcept;
void observe_unblocked(thread_header*) noexcept;
// The carrier's loop, back on its own stack, with the processor it had.
void observe_return(thread_header*) noexcept;

// Any thread, before the fiber can run.
void observe_spawn(const control_block&) noexcept;
void observe_wake(const control_block&) noexcept;
void observe_wakes(runtime_core&, const task_list<control_block>&) noexcept;
// A carrier's loop.
void observe_steal(thread_header*, std::uint32_t from, const control_block& first) noexcept;
void observe_ready(thread_header*) noexcept;

// A carrier is about to block in the kernel; the destructor: it runs again.
class observed_sleep {
 public:
  observed_sleep(carrier& me, traced how) noexcept : me_(me), how_(how) {
    if (is_observed(*me.core)) [[unlikely]]
      begin();
  }
  ~observed_sleep() {
    if (since_) [[unlikely]]
      end();
  }
  observed_sleep(const observed_sleep&) = delete;
  observed_sleep& operator=(const observed_sleep&) = delete;

 private:
  void begin() noexcept;
  void end() noexcept;
  carrier& me_;
  traced how_;
  std::uint64_t since_ = 0;
};
}  // namespace weft::detail
