#include "sched/hogs.hpp"

#include <time.h>

#include <algorithm>

#include "base/peek.hpp"

namespace weft::detail {
namespace {
// The kernel's number of a thread's clock is made of the thread's. The carrier lives: the monitor
// ends first.
nanos cpu_time_of(std::int32_t tid) noexcept {
  constexpr unsigned per_thread_scheduled = 6;
  timespec t{};
  ::clock_gettime(static_cast<clockid_t>(~static_cast<unsigned>(tid) << 3 | per_thread_scheduled),
                  &t);
  return static_cast<nanos>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}
}  // namespace

void hog_watch::look(runtime_core& core, nanos at, nanos tick) noexcept {
  if (core.hog_limit == 0) return;
  const nanos passed = std::min(at - last_, 2 * tick);
  last_ = at;
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    const processor& p = *core.processors[i];
    record& r = of_[i];
    const carrier* const holder = p.holder.load(std::memory_order_relaxed);
    const std::uint64_t switches = p.count.switches.load(std::memory_order_relaxed);
    if (!holder || p.state.load(std::memory_order_relaxed) != processor_state::running) {
      r.known = false;
    } else if (!r.known || r.switches != switches) {
      const std::int32_t tid = holder->tid.load(std::memory_order_relaxed);
      r = {.known = true, .told = false, .switches = switches, .held = 0, .cpu = cpu_time_of(tid)};
    } else {
      r.held += passed;
      if (!r.told && r.held >= core.hog_limit) judge(core, i, *holder, r);
    }
  }
}

void hog_watch::judge(runtime_core& core, std::uint32_t worker, const carrier& on,
                      record& r) noexcept {
  // acquire: pairs with the release in carrier_loop.
  const thread_header* const header = on.header.load(std::memory_order_acquire);
  const control_block* const fiber = header ? peek(header->fiber) : nullptr;
  if (!fiber) return;  // in its loop
  hog found{fiber, worker, on.tid.load(std::memory_order_relaxed), r.held, {}};
  found.doing = activity_of(found.tid);
  if (found.doing.what == thread_activity::stopped) {
    r.known = false;
    return;
  }
  if (cpu_time_of(found.tid) - r.cpu >= core.hog_limit) {
    found.doing = {.what = thread_activity::runs, .call = -1, .sp = 0, .pc = 0};
  } else if (found.doing.what != thread_activity::blocked) {
    return;  // it has waited for a CPU; perhaps it does compute, and will be found to
  }
  r.told = true;
  core.report_hog(found);
  core.hogs.fetch_add(1, std::memory_order_relaxed);  // last: who has seen it may read the report
}
}  // namespace weft::detail
