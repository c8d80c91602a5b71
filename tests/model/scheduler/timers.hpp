// What the scheduler asks about timers and readiness, on the model's kernel. The timers are those
// of time/timers.cpp.
#pragma once

#include <algorithm>

#include "kernel.hpp"

namespace sched_model {

constexpr nanos soon = 5;

// As events.cpp: a set of timers for each processor. Readiness there is none.
class timers_and_kernel final : public event_source {
 public:
  explicit timers_and_kernel(kernel& os, const runtime_core& core) : os_(os), core_(core) {}

  bool has_fds() const noexcept override { return false; }
  nanos earliest() const noexcept override {
    nanos first = never;
    if (!timed_) return first;
    for (std::uint32_t i = 0; i < core_.workers; ++i) first = std::min(first, sets_[i].earliest());
    return first;
  }
  bool awaits_deadline() noexcept override { return earliest() != never; }
  void expire(nanos at, task_list<control_block>& ready) noexcept override {
    for (std::uint32_t i = 0; i < core_.workers && timed_; ++i) sets_[i].expire(at, ready);
  }
  void poll(nanos until, task_list<control_block>&) noexcept override { os_.poll(until); }
  void kick() noexcept override { os_.kick(); }

  // There will be no timers: no order of events is to be tried for looks at them.
  void hold_still() { timed_ = false; }
  // The owner of the processor.
  void arm(std::uint32_t processor, nanos deadline, wait_token token) noexcept {
    check(timed_, "arms where there are no timers");
    sets_[processor].reserve_one();
    sets_[processor].arm(deadline, token);
  }
  timer_set& of(std::uint32_t processor) noexcept { return sets_[processor]; }

 private:
  kernel& os_;
  const runtime_core& core_;
  timer_set sets_[2];
  bool timed_ = true;
};

}  // namespace sched_model
