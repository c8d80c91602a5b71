#pragma once
#include <memory>

#include "io/poller.hpp"
#include "sched/event_source.hpp"
#include "time/timers.hpp"

namespace weft::detail {
// A runtime's timers and readiness, as its scheduler sees them.
class events final : public event_source {
 public:
  explicit events(runtime_core& core);

  bool has_fds() const noexcept override { return poller_.used(); }
  nanos earliest() const noexcept override;
  bool awaits_deadline() noexcept override;
  void expire(nanos at, task_list<control_block>& ready) noexcept override;
  void poll(nanos until, task_list<control_block>& ready) noexcept override {
    poller_.poll(until, ready);
  }
  void kick() noexcept override { poller_.kick(); }

  poller& readiness() noexcept { return poller_; }

 private:
  runtime_core& core_;
  poller poller_;
  std::unique_ptr<timer_set[]> timers_;  // one for each processor
};

// The poller of the running fiber's runtime.
poller& poller_here() noexcept;
}  // namespace weft::detail
