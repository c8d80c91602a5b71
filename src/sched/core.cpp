// The life of a runtime core: obtained, run, drained, recycled.
#include "sched/core.hpp"

#include <sched.h>

#include <memory>

#include "base/futex.hpp"
#include "sched/core_visit.hpp"
#include "sched/internal.hpp"
#include "sched/stackless.hpp"
#include "sched/threads.hpp"

namespace weft::detail {
namespace {
constinit spin_lock cores_lock;
constinit atomic<runtime_core*> cores{nullptr};

runtime_core* reuse_core() noexcept {
  const spin_guard guard(cores_lock);
  for (runtime_core* c = cores.load(std::memory_order_relaxed); c; c = c->next_core) {
    // acquire: pairs with the release in recycle_core.
    if (!c->in_use.load(std::memory_order_acquire)) {
      c->in_use.store(true, std::memory_order_relaxed);
      return c;
    }
  }
  return nullptr;
}

void reset(counters& c) noexcept {
  for (auto* counter : {&c.switches, &c.spawned, &c.finished, &c.steals, &c.wakes, &c.looks,
                        &c.blocking_calls, &c.fruitless_searches}) {
    counter->store(0, std::memory_order_relaxed);
  }
}
}  // namespace

runtime_core* first_core() noexcept {
  return cores.load(std::memory_order_acquire);
}

runtime_core& obtain_core(std::uint32_t workers) {
  runtime_core* core = reuse_core();
  if (!core) {
    auto fresh = std::make_unique<runtime_core>();
    core = fresh.release();
    core->in_use.store(true, std::memory_order_relaxed);
    const spin_guard guard(cores_lock);
    core->next_core = cores.load(std::memory_order_relaxed);
    // release: pairs with first_core().
    cores.store(core, std::memory_order_release);
  }
  for (std::uint32_t i = 0; i < workers; ++i) {
    if (!core->processors[i]) {
      try {
        core->processors[i] = new processor;
      } catch (...) {
        core->in_use.store(false, std::memory_order_relaxed);
        throw;
      }
    }
    processor& p = *core->processors[i];
    p.core = core;
    p.index = i;
    p.solo = workers == 1;
    p.stamp.store(stamp_now(), std::memory_order_relaxed);
    p.rng = random(0x9e3779b97f4a7c15ULL * (i + 1));
    reset(p.count);
  }
  core->workers = workers;
  core->search_limit = workers / 2 > 1 ? workers / 2 : 1;
  reset(core->foreign);
  for (auto* word :
       {&core->watch, &core->monitor_resting, &core->stopping, &core->cancelling, &core->draining,
        &core->frozen, &core->slow_spawns, &core->observed, &core->starving}) {
    word->store(0, std::memory_order_relaxed);
  }
  core->slot_wake_hold.store(1, std::memory_order_relaxed);
  core->hogs.store(0, std::memory_order_relaxed);
  core->foreign_spawned.store(0, std::memory_order_relaxed);
  return *core;
}

void end_visits(runtime_core& core) noexcept {
  // seq_cst, both: pair with core_visit.
  core.closed.store(1, std::memory_order_seq_cst);
  while (core.visitors.load(std::memory_order_seq_cst) != 0) ::sched_yield();
}

void stop_threads(runtime_core& core) noexcept {
  end_visits(core);
  core.stopping.store(1, std::memory_order_seq_cst);
  // One at a time, each under the lock: a carrier on its way to sleep has either seen `stopping` or
  // is woken here. The monitor starts no carriers once it is gone, so it goes first.
  core.monitor.sleep.store(static_cast<std::uint32_t>(sleep_state::notified),
                           std::memory_order_release);
  futex_wake(&core.monitor.sleep, 1);
  if (core.monitor.started) ::pthread_join(core.monitor.thread, nullptr);
  core.monitor.started = false;
  // relaxed: the monitor, the only one that added, has been joined.
  const std::uint32_t carriers = core.carrier_count.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < carriers; ++i) {
    wake_call wake;
    {
      const spin_guard guard(core.idle_lock);
      wake = hand_over_locked(*core.carriers[i], nullptr, false);
    }
    if (wake.found == sleep_state::on_futex) futex_wake(&wake.who->sleep, 1);
    if (wake.found == sleep_state::in_watch) core.events->kick();
  }
  for (std::uint32_t i = 0; i < carriers; ++i) {
    ::pthread_join(core.carriers[i]->thread, nullptr);
  }
  // acquire: pairs with the release of foreign_visit: no foreign thread is inside a wake any more.
  while (core.foreign_visits.load(std::memory_order_acquire) != 0) ::sched_yield();
}

void recycle_core(runtime_core& core) noexcept {
  {
    const spin_guard guard(core.idle_lock);
    while (core.idle_list) {
      core.idle_list->listed_idle = false;
      core.idle_list = core.idle_list->next_idle;
    }
    core.spare_list = nullptr;
    core.carrier_count.store(0, std::memory_order_relaxed);
    core.idle.reset();
    for (std::uint32_t i = 0; i < core.workers; ++i) {
      processor& p = *core.processors[i];
      p.blocks.flush();
      p.stacks.flush();
      if (p.permits) stack_arena::instance().release_permits(p.permits);
      p.permits = 0;
      p.tick = p.slot_streak = 0;
      p.diverted = false;
      forget_children(p);
      p.state.store(processor_state::idle, std::memory_order_relaxed);
      p.holder.store(nullptr, std::memory_order_relaxed);
    }
  }
  if (any_stackless()) feed_stackless();  // fibers of other runtimes
  core.events = nullptr;
  // release: pairs with the acquire in reuse_core.
  core.in_use.store(false, std::memory_order_release);
}

std::uint64_t total(const runtime_core& core, atomic<std::uint64_t> counters::*which) noexcept {
  std::uint64_t sum = (core.foreign.*which).load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    sum += (core.processors[i]->count.*which).load(std::memory_order_relaxed);
  }
  return sum;
}
}  // namespace weft::detail
