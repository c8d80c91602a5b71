#pragma once
#include "base/thread_activity.hpp"
#include "sched/core.hpp"

namespace weft::detail {
// A fiber that has kept its processor from all others for longer than runtime_core::hog_limit.
struct hog {
  const control_block* fiber;
  std::uint32_t worker;
  std::int32_t tid;
  nanos held;             // as far as the monitor has seen it
  thread_activity doing;  // `runs`: it computes; `blocked`: in the kernel, outside of blocking()
};

// The monitor's memory of who holds what. A processor whose switches have not advanced between two
// ticks runs the same fiber all the time, so nothing is noted on a switch.
//
// The time is what the monitor has watched: a tick that comes late (the process was stopped, or the
// machine has no CPU for us) counts as two at most. And it is the thread's own CPU time that tells
// computing from waiting for a CPU.
class hog_watch {
 public:
  // Once a tick, which was to last `tick`.
  void look(runtime_core&, nanos at, nanos tick) noexcept;

 private:
  struct record {
    bool known = false;
    bool told = false;
    std::uint64_t switches = 0;
    nanos held = 0;
    nanos cpu = 0;  // the thread's, when this fiber was first seen
  };
  void judge(runtime_core&, std::uint32_t worker, const carrier&, record&) noexcept;

  nanos last_ = 0;
  record of_[max_workers];
};
}  // namespace weft::detail
