// The scheduler's own source under the model checker: the .cpp files below are compiled as they
// are. What they stand on is replaced: the kernel (kernel.hpp), stacks, the switch to a fiber.
// Files in shim/ come before their namesakes in src/. world.hpp puts it together.
#pragma once

#include "model.hpp"

#include <new>

namespace weft::detail {
void join_thread() noexcept;
}
inline int none() noexcept {
  return 0;
}
inline int no_thread() noexcept {
  return EAGAIN;
}
inline int give_way() noexcept {
  weft::detail::cpu_relax();
  return 0;
}

#define static_assert(...)  // sizes are the checker's
#define constinit           // globals are constructed for every interleaving: model::renew
#define pthread_create(thread, attributes, body, arg) no_thread()
#define pthread_join(thread, result) none(), weft::detail::join_thread()
#define pthread_setname_np(...) none()
#define sched_yield() give_way()

#include "sched/blocking.cpp"
#include "sched/core.cpp"
#include "sched/idle.cpp"
#include "sched/loop.cpp"
#include "sched/monitor.cpp"
#include "sched/ready.cpp"
#include "sched/spares.cpp"
#include "sched/stackless.cpp"
#include "sched/switch.cpp"
#include "time/timers.cpp"

#include "sched/drain.hpp"
#include "scheduler/bystanders.hpp"
