// The monitor: a thread beside the carriers that holds no processor. It sees to what nobody else
// can see to: a processor whose carrier is blocked in the kernel, readiness and timers while every
// processor computes, the watch while a processor is idle (invariant W), work that a wake has
// missed; memory of free stacks once the runtime is idle.
//
// It does not hold the watch itself while processors are busy, as a dedicated poller would: every
// readiness event would then preempt a worker for a switch to the poller and back. Busy processors
// look for themselves; the monitor looks only if none has for a whole tick.
#include <algorithm>

#include "base/futex.hpp"
#include "sched/branches.hpp"
#include "sched/hogs.hpp"
#include "sched/internal.hpp"
#include "sched/observe.hpp"
#include "sched/stackless.hpp"
#include "sched/threads.hpp"
#include "stack/arena.hpp"

namespace weft::detail {
namespace {
constexpr nanos shortest_tick = 1'000'000;
constexpr nanos longest_tick = 10'000'000;
constexpr nanos stackless_visits = 50'000'000;  // while fibers wait for stacks and all is idle
constexpr auto resting = static_cast<std::uint32_t>(sleep_state::on_futex);
constexpr auto awake = static_cast<std::uint32_t>(sleep_state::awake);
constexpr auto notified = static_cast<std::uint32_t>(sleep_state::notified);

struct observation {
  std::uint64_t activity = 0;  // advances whenever a fiber ran or somebody looked at readiness
  bool all_idle = true;
  bool queued = false;
};

observation observe(runtime_core& core) noexcept {
  observation seen;
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    processor& p = *core.processors[i];
    seen.activity += p.count.switches.load(std::memory_order_relaxed);
    if (p.state.load(std::memory_order_relaxed) != processor_state::idle) seen.all_idle = false;
    if (p.ring.size() > 0 || p.slot.load(std::memory_order_relaxed)) seen.queued = true;
    if (has_children(p) || offers_branches(p)) seen.queued = true;
  }
  if (core.inject.size() > 0) seen.queued = true;
  return seen;
}

std::uint64_t looks_of(const runtime_core& core) noexcept {
  std::uint64_t sum = total(core, &counters::looks);
  // acquire: pairs with the release in add_carrier; the entries below are written.
  const std::uint32_t carriers = core.carrier_count.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < carriers; ++i) {
    sum += core.carriers[i]->watch_holds.load(std::memory_order_relaxed);
  }
  return sum;
}

// A carrier that has been inside blocking() for a whole tick loses its processor to a spare, so
// that what its queue holds and what will come can run. True: some processor is inside blocking().
bool retake_blocked(runtime_core& core, std::uint64_t* blocked_at) noexcept {
  bool any = false;
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    processor& p = *core.processors[i];
    std::uint64_t state = p.state.load(std::memory_order_acquire);
    const bool same_call = blocked_at[i] == state;
    blocked_at[i] = state;
    if (!processor_state::is_blocking(state)) continue;
    any = true;
    if (same_call) retake(core, p, state, start_carrier_for);  // if that fails, again next tick
  }
  return any;
}

void set_stamps(runtime_core& core) noexcept {
  const std::uint32_t stamp = stamp_now();
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    core.processors[i]->stamp.store(stamp, std::memory_order_relaxed);
  }
}

void look_for_all(runtime_core& core) noexcept {
  task_list<control_block> ready;
  if (core.events->has_fds()) {
    core.foreign.looks.fetch_add(1, std::memory_order_relaxed);
    core.events->poll(0, ready);
  }
  if (core.events->earliest() != never) core.events->expire(now(), ready);
  make_ready(core, ready);
}

void sleep(runtime_core& core, std::uint32_t value, nanos until) noexcept {
  // acquire: pairs with the release of whoever changes the word: stop_threads,
  // wake_monitor_if_resting.
  if (core.monitor.sleep.load(std::memory_order_acquire) == value) {
    futex_wait(&core.monitor.sleep, value, until);
  }
}

bool is_resting(const runtime_core& core) noexcept {
  // acquire: pairs with the exchange in wake_monitor_if_resting.
  return core.monitor.sleep.load(std::memory_order_acquire) == resting;
}

// Sleeps until a processor leaves idleness. What memory the idle runtime leaves in free stacks
// takes three periods to become due, in the arena's two steps; so the first seconds are interrupted
// that often, and no more. The first visit is for runtimes that never rest a whole period. In
// portions, between which it is seen that somebody wants the monitor.
void sleep_and_tidy(runtime_core& core) noexcept {
  stack_arena& stacks = stack_arena::instance();
  constexpr int most_visits = 4;
  int visits = 0;
  nanos due = 0;
  while (is_resting(core)) {
    if (const nanos at = now(); at >= due) {
      due = at + stack_arena::period;
      ++visits;
      stacks.end_period();
      while (is_resting(core) && stacks.release_some()) {
      }
    }
    // seq_cst: pairs with W1 and W3 in stackless.hpp: sees the count, or is woken.
    const bool waited_for = stackless.now.load(std::memory_order_seq_cst) != 0;
    if (waited_for) {
      tend_stackless(core);
      sleep(core, resting, now() + stackless_visits);
    } else {
      sleep(core, resting, visits < most_visits ? due : never);
    }
  }
}

// Everything is idle: no tick until a processor leaves idleness.
//
// INVARIANT. The monitor sleeps here, not notified, only while every processor is idle, or on its
// way from the idle list to left_idleness.
// Proof. {monitor_resting := 1; all_idle} here against {idle_word::woken; left_idleness} there, all
// seq_cst. A processor that was taken off the list before all_idle looks is missed there; of one
// taken off later, the carrier that got it reads the flag as set, and wakes the monitor. So whoever
// gets a processor off the list calls left_idleness: the sleeper it was handed to, a spare, a call
// that comes back, and also who takes it back in Q2: it has not slept, but from Q1 on all_idle has
// counted its processor. Model: tests/model/scheduler/resting.hpp.
//
// Nor is a deadline or readiness slept over: the last processor to go idle finds the watch held or
// takes it, and who leaves the watch does so with a processor or takes it again. `watched` only
// spares a rest in between.
void rest(runtime_core& core) noexcept {
  std::uint32_t expected = awake;
  if (!core.monitor.sleep.compare_exchange_strong(expected, resting, std::memory_order_acq_rel,
                                                  std::memory_order_acquire)) {
    return;
  }
  // seq_cst: pairs with the load in go_idle, after the processor was taken off the idle list.
  core.monitor_resting.store(1, std::memory_order_seq_cst);
  const bool idle = core.idle.all_idle(core.workers);
  const bool watched = core.watch.load(std::memory_order_seq_cst) != 0 ||
                       (!core.events->has_fds() && core.events->earliest() == never);
  if (idle && watched) sleep_and_tidy(core);
  set_stamps(core);  // before the flag is down: from then on no waker sets its own
  // seq_cst: pairs with left_idleness, which need not wake us from here on.
  core.monitor_resting.store(0, std::memory_order_seq_cst);
  expected = resting;
  core.monitor.sleep.compare_exchange_strong(expected, awake, std::memory_order_acq_rel,
                                             std::memory_order_acquire);
  if (expected == notified && core.stopping.load(std::memory_order_seq_cst) == 0) {
    core.monitor.sleep.store(awake, std::memory_order_release);
  }
}
}  // namespace

void wake_monitor_if_resting(runtime_core& core) noexcept {
  // The time stood still meanwhile; the caller does not wait for the tick that sets it.
  if (processor* p = current()->held) p->stamp.store(stamp_now(), std::memory_order_relaxed);
  std::uint32_t expected = resting;
  // acq_rel: pairs with the loads in sleep and rest.
  if (core.monitor.sleep.compare_exchange_strong(expected, notified, std::memory_order_acq_rel,
                                                 std::memory_order_acquire)) {
    futex_wake(&core.monitor.sleep, 1);
  }
}

void monitor_loop(runtime_core& core) noexcept {
  nanos tick = shortest_tick;
  std::uint64_t activity = 0;
  std::uint64_t looks = 0;
  int silent = 0;
  std::uint64_t blocked_at[max_workers] = {};
  bool queued_before = false;
  hog_watch hogs;
  // Two looks within the limit, as far as ticks go.
  const nanos tick_limit = core.hog_limit == 0
                               ? longest_tick
                               : std::clamp(core.hog_limit / 2, shortest_tick, longest_tick);
  // seq_cst: pairs with stop_threads, which then wakes this thread.
  while (core.stopping.load(std::memory_order_seq_cst) == 0) {
    sleep(core, awake, chaos::sooner(now() + tick));
    if (core.frozen.load(std::memory_order_relaxed) != 0) return;
    set_stamps(core);
    hogs.look(core, core.hog_limit ? now() : 0, tick);
    if (any_stackless()) tend_stackless(core);
    look_for_probes(core);
    const observation seen = observe(core);
    const bool blocked = retake_blocked(core, blocked_at);
    const bool ran = seen.activity != activity;
    activity = seen.activity;
    const bool watch_free = core.watch.load(std::memory_order_relaxed) == 0;
    const std::uint64_t looked = looks_of(core);
    if (watch_free && looked == looks) look_for_all(core);
    // A processor has armed an earlier deadline than the holder of the watch waits for, and
    // computes on instead of going idle, where it would kick by itself.
    if (!watch_free && core.events->earliest() < core.watch_until.load(std::memory_order_seq_cst)) {
      core.events->kick();
    }
    looks = looks_of(core);
    // Invariant W, and work that a wake has missed: an idle processor, nobody searching, and either
    // the watch is free or the same queues have had something in them for a whole tick.
    if (core.idle.should_wake() && (watch_free || (seen.queued && queued_before))) {
      wake_one(core, nullptr);
    }
    queued_before = seen.queued;
    if (chaos::strikes(chaos::point::kick)) core.events->kick();
    if (chaos::strikes(chaos::point::kick)) wake_one(core, nullptr);
    if (ran || !seen.all_idle) {
      silent = 0;
      tick = blocked ? shortest_tick : tick * 2 < tick_limit ? tick * 2 : tick_limit;
    } else if (++silent >= 2) {
      rest(core);
      silent = 0;
      tick = shortest_tick;
    }
  }
}
}  // namespace weft::detail
