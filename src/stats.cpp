#include <weft/runtime.hpp>

#include "sched/children.hpp"
#include "sched/drain.hpp"
#include "sched/threads.hpp"
#include "stack/arena.hpp"

namespace weft {
namespace detail {
namespace {
std::uint64_t read(const atomic<std::uint64_t>& counter) noexcept {
  return counter.load(std::memory_order_relaxed);
}

void add(runtime_stats::system_calls& to, const sys_counts& from) noexcept {
  const auto by = [&](sys kind) { return read(from.by_kind[static_cast<std::size_t>(kind)]); };
  to.epoll_wait += by(sys::epoll_wait);
  to.epoll_ctl += by(sys::epoll_ctl);
  to.eventfd_write += by(sys::eventfd_write);
  to.futex_wait += by(sys::futex_wait);
  to.futex_wake += by(sys::futex_wake);
  to.read += by(sys::read);
  to.write += by(sys::write);
  to.accept += by(sys::accept);
  to.connect += by(sys::connect);
  to.poll += by(sys::poll);
  to.close += by(sys::close);
  to.other += by(sys::other);
}

void count_fibers(const runtime_core& core, runtime_stats& s) noexcept {
  s.fibers_alive = alive(core);
  s.fibers_ready = core.inject.size();
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    const processor& p = *core.processors[i];
    s.fibers_ready += p.ring.size() + count_children(p);
    if (p.slot.load(std::memory_order_relaxed)) ++s.fibers_ready;
    if (p.state.load(std::memory_order_relaxed) != processor_state::idle) ++s.fibers_running;
  }
  // The parts are read one after another while fibers move on: none may come out negative.
  if (s.fibers_running > s.fibers_alive) s.fibers_running = s.fibers_alive;
  const std::uint64_t rest = s.fibers_alive - s.fibers_running;
  if (s.fibers_ready > rest) s.fibers_ready = rest;
  s.fibers_parked = rest - s.fibers_ready;
}
}  // namespace
}  // namespace detail

runtime_stats runtime::stats() const noexcept {
  using namespace detail;
  const runtime_core& core = *core_;
  runtime_stats s;
  s.workers = core.workers;
  count_fibers(core, s);
  s.fibers_spawned = total(core, &counters::spawned) + read(core.foreign_spawned);
  s.switches = total(core, &counters::switches);
  s.steals = total(core, &counters::steals);
  s.wakes = total(core, &counters::wakes);
  s.looks = total(core, &counters::looks);
  s.blocking_calls = total(core, &counters::blocking_calls);
  s.hogs = read(core.hogs);
  s.blocking_inside = core.gate.inside_now.load(std::memory_order_relaxed);
  s.blocking_waiting = core.gate.waiting_now.load(std::memory_order_relaxed);
  // acquire: pairs with the release in add_carrier: the entries below the count are written.
  const std::uint32_t carriers = core.carrier_count.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < carriers; ++i) {
    const carrier& c = *core.carriers[i];
    s.sleeps += read(c.sleeps);
    s.watch_holds += read(c.watch_holds);
    add(s.syscalls, c.syscalls);
  }
  add(s.syscalls, core.monitor.syscalls);
  s.threads = carriers + 1;
  stack_arena& arena = stack_arena::instance();
  const stack_arena::usage stacks = arena.stats();
  s.stacks_in_use = stacks.in_use;
  s.stacks_cached = stacks.cached;
  s.stack_bytes_mapped = stacks.mapped_bytes;
  switch (arena.tier()) {
    case guard_tier::madvise:
      s.guard_tier = "madvise";
      break;
    case guard_tier::mprotect:
      s.guard_tier = "mprotect";
      break;
    default:
      break;
  }
  return s;
}
}  // namespace weft
