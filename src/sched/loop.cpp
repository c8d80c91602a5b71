// What a carrier does on its own stack: the long way to the next fiber. A fiber that parks and
// finds nothing in the local queue switches here, and so does every 61st switch.
#include <unistd.h>

#include "base/futex.hpp"
#include "base/spin_lock.hpp"
#include "sched/branches.hpp"
#include "sched/internal.hpp"
#include "sched/observe.hpp"
#include "sched/stackless.hpp"

namespace weft::detail {
namespace {
// Nanoseconds between two looks at readiness by a busy processor: a look costs a system call, and
// fibers that only yield would make one every 61 yields.
constexpr std::uint64_t look_gap = 20'000;
// Nanoseconds between a thief's two looks at a slot: a ping-pong partner is gone by then.
constexpr std::uint64_t slot_age = 3'200;

control_block* pop_pinned(carrier& me) noexcept {
  if (me.pinned_count.load(std::memory_order_relaxed) == 0) [[likely]]
    return nullptr;
  const spin_guard guard(me.pinned_lock);
  control_block* block = me.pinned.pop_front();
  if (block) me.pinned_count.fetch_sub(1, std::memory_order_relaxed);
  return block;
}

// A share of the inject queue: what this processor may take without starving the others. The first
// of it is to run now, before what lies in the ring: a full ring of fibers that yield would never
// make room.
control_block* take_injected(processor& p) noexcept {
  runtime_core& core = *p.core;
  const std::size_t queued = core.inject.size();
  if (queued == 0) return nullptr;
  std::size_t share = queued / core.workers + 1;
  constexpr std::size_t most = local_ring<control_block>::batch;
  const std::size_t room = p.ring.room();
  if (share > most) share = most;
  if (share > room + 1) share = room + 1;
  task_list<control_block> batch = core.inject.pop(share);
  control_block* first = batch.pop_front();
  while (control_block* block = batch.pop_front()) push_ring(p, block);
  return first;
}

// Timers and readiness, without blocking.
void look(processor& p, carrier&) noexcept {
  runtime_core& core = *p.core;
  task_list<control_block> ready;
  if (core.events->has_fds()) {
    const std::uint64_t at = ticks();
    if (at - p.last_look > ticks_in(look_gap)) {
      p.last_look = at;
      bump(p.count.looks);
      core.events->poll(0, ready);
    }
  }
  if (core.events->earliest() != never) core.events->expire(now(), ready);
  make_ready(core, ready);
}

// A thief's turn at the slots: takes a fiber only if the same push is still there some microseconds
// later, so that two fibers waking one another are not torn apart.
control_block* steal_slot(runtime_core& core, processor& me) noexcept {
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    processor& victim = *core.processors[i];
    if (&victim == &me) continue;
    control_block* seen = victim.slot.load(std::memory_order_relaxed);
    if (!seen) continue;
    const std::uint32_t push = victim.slot_pushes.load(std::memory_order_relaxed);
    const std::uint64_t age = chaos::strikes(chaos::point::steal) ? 0 : ticks_in(slot_age);
    for (const std::uint64_t start = ticks(); ticks() - start < age;) cpu_relax();
    if (victim.slot_pushes.load(std::memory_order_relaxed) != push) continue;
    // acquire: pairs with the releases in push_slot_shared.
    if (victim.slot.compare_exchange_strong(seen, nullptr, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
      if (is_observed(core)) [[unlikely]]
        observe_steal(current(), victim.index, *seen);
      return seen;
    }
  }
  return nullptr;
}

[[gnu::noinline]] control_block* search(runtime_core& core, processor& me) noexcept {
  const std::uint32_t first = me.rng.below(core.workers);
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    processor& victim = *core.processors[(first + i) % core.workers];
    if (&victim == &me) continue;
    if (control_block* block = victim.ring.steal_into(me.ring)) {
      bump(me.count.steals);
      if (is_observed(core)) [[unlikely]]
        observe_steal(current(), victim.index, *block);
      return block;
    }
  }
  if (core.inject.size() > 0) {
    task_list<control_block> one = core.inject.pop(1);
    if (control_block* block = one.pop_front()) return block;
  }
  if (control_block* block = steal_child(core, me, first)) return block;
  if (control_block* block = steal_branch(core, me, first)) return block;
  control_block* block = steal_slot(core, me);
  if (block) bump(me.count.steals);
  return block;
}

void stop_searching(processor& p, bool& searching) noexcept {
  if (!searching) return;
  searching = false;
  p.core->slot_wake_hold.store(1, std::memory_order_relaxed);
  if (p.core->idle.found()) wake_one(*p.core, &p);
}

void note_fruitless(runtime_core& core, processor& p) noexcept {
  bump(p.count.fruitless_searches);
  constexpr std::uint32_t most = 1 << 14;
  const std::uint32_t hold = core.slot_wake_hold.load(std::memory_order_relaxed);
  if (hold < most) core.slot_wake_hold.store(hold * 2, std::memory_order_relaxed);
}

// The process is ending: this thread runs no more fibers. It is not joined; exit ends it.
[[noreturn]] void stay_frozen(runtime_core& core) noexcept {
  core.frozen_count.fetch_add(1, std::memory_order_release);
  for (;;) futex_wait(&core.frozen, 1);
}

// The next fiber to run here; null: the carrier is to end. Sleeps when there is none.
control_block* find_next(carrier& me, bool& searching) noexcept {
  runtime_core& core = *me.core;
  thread_header* header = current();
  for (;;) {
    if (core.stopping.load(std::memory_order_relaxed) != 0) [[unlikely]]
      return nullptr;
    if (core.frozen.load(std::memory_order_relaxed) != 0) [[unlikely]]
      stay_frozen(core);
    if (!header->held) {
      be_spare(me, searching);
      continue;
    }
    processor& p = *header->held;
    if (p.diverted) [[unlikely]]
      observe_return(header);
    if (core.starving.load(std::memory_order_relaxed) != 0) [[unlikely]] {
      if (give_to_starving(core, header, searching)) continue;
    }
    if (any_stackless()) [[unlikely]] {  // F2 in stackless.hpp
      p.stacks.flush();
      feed_stackless();
    }
    // The long look comes every 61st switch, however much is queued here (D6).
    control_block* next = nullptr;
    if (p.tick >= look_every) {
      p.tick = 0;
      if (is_observed(core)) [[unlikely]]
        observe_ready(header);
      next = take_injected(p);
      look(p, me);
      p.children_first = !p.children_first;
      // Its turn comes whatever was injected, or a load from outside would starve it.
      if (control_block* const child = p.children_first ? pick_child(p) : nullptr) {
        if (next) push_ring(p, next);
        next = child;
      }
    }
    if (!next && !chaos::strikes(chaos::point::order)) next = pop_pinned(me);
    if (!next && !p.solo && chaos::strikes(chaos::point::steal)) next = search(core, p);
    if (!next) next = pick(p);
    if (!next && p.tick >= look_every) continue;
    if (!next) next = take_injected(p);
    if (const nanos due = core.events->earliest(); !next && due != never && due <= now()) {
      look(p, me);
      next = pick(p);
    }
    if (!next && !p.solo) {
      if (!searching) searching = core.idle.try_search(core.search_limit);
      if (searching) {
        next = search(core, p);
        if (!next) note_fruitless(core, p);
      }
    }
    if (next) {
      stop_searching(p, searching);
      if (must_move(p, *next)) {
        if (pass_on(header, next, searching)) continue;
        next->trail.forget();
      }
      return next;
    }
    go_idle(me, searching);
  }
}
}  // namespace

bool anything_queued(runtime_core& core, carrier& me) noexcept {
  if (core.inject.size() > 0) return true;
  // seq_cst: Q2; pairs with P1 in make_pinned_ready.
  if (me.pinned_count.load(std::memory_order_seq_cst) > 0) return true;
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    if (core.processors[i]->ring.size() > 0 || has_children(*core.processors[i])) return true;
  }
  return false;
}

void carrier_loop(carrier& me) noexcept {
  thread_header* header = current();
  adopt_thread(header);
  header->self = &me;
  me.own_stack = thread_stack::here();
  header->syscalls = &me.syscalls;
  header->section = 1;  // the loop never lets go of its processor but by its own act
  me.tid.store(::gettid(), std::memory_order_relaxed);
  // release: pairs with the acquire of whoever looks for running fibers.
  me.header.store(header, std::memory_order_release);
  attach(header, me, me.handed.load(std::memory_order_relaxed));
  if (is_observed(*me.core)) [[unlikely]]
    observe_thread(header);
  bool searching = me.handed_searching.load(std::memory_order_relaxed);
  while (control_block* next = find_next(me, searching)) {
    processor& p = *header->held;
    const bool begins = !(next->flags & fiber_flag::started);
    if (begins && !bind_stack(p, *next)) {
      wait_for_stack(*next);
      continue;
    }
    if (is_observed(*p.core)) [[unlikely]]
      observe_run(header, *next, begins);
    enter_from_loop(header, next);
  }
  me.header.store(nullptr, std::memory_order_relaxed);
  header->self = nullptr;
  header->held = nullptr;
  header->lane = nullptr;
  header->syscalls = nullptr;
}
}  // namespace weft::detail
