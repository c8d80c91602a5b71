#pragma once
#include "sched/core.hpp"

namespace weft::detail {
// All that a visit may look at is there. release: pairs with V2.
inline void begin_visits(runtime_core& core) noexcept {
  core.closed.store(0, std::memory_order_release);
}
// E1 and E2. Again is no error.
void end_visits(runtime_core&) noexcept;

// While one lives and is open, no thread of the runtime ends: its carriers' headers may be read,
// and its event source. Any thread; short, because the end of the runtime waits for it.
//
// INVARIANT. A visit that is open ended before the runtime stops its threads, or they wait for it.
// The visitor: V1 visitors += 1      V2 look at `closed`: set: not open
// The end:     E1 closed := 1        E2 wait until visitors == 0   E3 stop the threads
// All seq_cst: V2 sees E1, or E2 sees V1.
class core_visit {
 public:
  explicit core_visit(runtime_core& core) noexcept : core_(core) {
    core_.visitors.fetch_add(1, std::memory_order_seq_cst);     // V1
    open_ = core_.closed.load(std::memory_order_seq_cst) == 0;  // V2
  }
  // release: pairs with E2; what was read was read before.
  ~core_visit() { core_.visitors.fetch_sub(1, std::memory_order_release); }
  core_visit(const core_visit&) = delete;
  core_visit& operator=(const core_visit&) = delete;
  explicit operator bool() const noexcept { return open_; }

 private:
  runtime_core& core_;
  bool open_;
};
}  // namespace weft::detail
