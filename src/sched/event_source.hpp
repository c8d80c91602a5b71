#pragma once
#include <cstddef>

#include "base/clock.hpp"
#include "fiber/control_block.hpp"
#include "queue/task_list.hpp"

namespace weft::detail {
// The seam between the scheduler and what lies above it: timers and readiness. The scheduler
// decides who looks and when; the source knows what there is to see. Implemented in src/io and
// wired by src/runtime.cpp.
class event_source {
 public:
  virtual ~event_source() = default;

  // Any thread: whether poll() could find anything at all.
  virtual bool has_fds() const noexcept = 0;
  // Any thread: the earliest deadline armed on any processor, `never` if none.
  virtual nanos earliest() const noexcept = 0;
  // Any thread, holding any lock: whether a wait with a deadline is open. When that cannot be told
  // now, true.
  virtual bool awaits_deadline() noexcept = 0;
  // Any thread: fires what is due; the fibers whose wait ended go to `ready`, in order.
  virtual void expire(nanos at, task_list<control_block>& ready) noexcept = 0;
  // Looks at readiness; blocks in the kernel until something happens, kick() or `until`. `until` 0:
  // only looks. At most one thread blocks here (the watch); looking is allowed to any.
  virtual void poll(nanos until, task_list<control_block>& ready) noexcept = 0;
  // Any thread: the thread that blocks in poll(), or the next that does, returns.
  virtual void kick() noexcept = 0;
};
}  // namespace weft::detail
