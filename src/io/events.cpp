#include "io/events.hpp"

#include <algorithm>

#include "base/current.hpp"

namespace weft::detail {
events::events(runtime_core& core)
    : core_(core), poller_(&core), timers_(std::make_unique<timer_set[]>(core.workers)) {
  for (std::uint32_t i = 0; i < core.workers; ++i) core.processors[i]->timers = &timers_[i];
}

nanos events::earliest() const noexcept {
  nanos earliest = never;
  for (std::uint32_t i = 0; i < core_.workers; ++i) {
    const nanos here = timers_[i].earliest();
    if (here < earliest) earliest = here;
  }
  return earliest;
}

bool events::awaits_deadline() noexcept {
  return std::any_of(timers_.get(), timers_.get() + core_.workers,
                     [](timer_set& each) { return each.has_open(); });
}

void events::expire(nanos at, task_list<control_block>& ready) noexcept {
  for (std::uint32_t i = 0; i < core_.workers; ++i) timers_[i].expire(at, ready);
}

poller& poller_here() noexcept {
  const runtime_core* core = current()->fiber->rt.load(std::memory_order_relaxed);
  return static_cast<events*>(core->events)->readiness();
}
}  // namespace weft::detail
