// The state of a future for models: what is made, and what its end leaves behind.
#pragma once

#include "sync_world.hpp"

#include "task/future_core.cpp"

namespace weft::detail {
wake_reason park(wait_kind, const void*, bool cancellable, publish_fn publish, void* arg,
                 nanos deadline) {
  return here->wait(cancellable, deadline, publish, arg);
}
}  // namespace weft::detail

namespace sync_model {
struct future_world : world {
  future_core core;
  checked<int> data;
  checked<int> made;
  checked<int> ends;

  void make() {
    data = 7;
    made = made + 1;
    core.end_set();
  }
  wait_end wait(nanos deadline = never) {
    if (core.is_ready()) return wait_end::woken;
    return core.wait_slow(deadline);
  }
  void see() { check(data == 7, "ready, and not what came before"); }

  // A wait that has ended, and not because it is ready. Nobody else waits.
  void check_left() { check(core.queue_.empty(), "left, and still linked"); }

  // Whoever writes into the state from here on leaves a trace, takes the trap or runs it.
  static constexpr std::uint64_t no_flags = 1u << 10;
  ready_hook trap_hook{[](ready_hook*) noexcept { check(false, "run after the end"); }};
  waiter trap_node;
  void destroy() {
    data = 0;
    ends = ends + 1;
    check(core.queue_.empty() && !core.hooks_, "destroyed with somebody in it");
    core.flags_.store(no_flags, std::memory_order_relaxed);
    core.hooks_ = &trap_hook;
    core.queue_.push_back(trap_node);
  }
  bool is_untouched() const {
    return core.flags_.load(std::memory_order_relaxed) == no_flags && core.hooks_ == &trap_hook &&
           core.queue_.front() == &trap_node && trap_node.linked;
  }
  void drop() {
    if (core.release()) destroy();
  }
};
}  // namespace sync_model
