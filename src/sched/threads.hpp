#pragma once
#include "sched/core.hpp"

namespace weft::detail {
// Start of a runtime, and the monitor. A new carrier that begins with `p`. 0, or the error of
// pthread_create: then nothing has changed.
int start_carrier(runtime_core&, processor* p, bool searching) noexcept;
int start_monitor(runtime_core&) noexcept;
// A carrier without its thread, on the core's list. 0, or an error: then nothing has changed.
int add_carrier(runtime_core&, processor* p, bool searching, carrier*& fresh) noexcept;
// End of a runtime, on a kernel thread of the user's: all its threads leave their loops and are
// joined. No fiber is alive.
void stop_threads(runtime_core&) noexcept;
// A core for a new runtime with `workers` processors: a recycled one if there is. May throw
// std::bad_alloc.
runtime_core& obtain_core(std::uint32_t workers);
// The threads are gone.
void recycle_core(runtime_core&) noexcept;
// Every core of the process; any thread.
runtime_core* first_core() noexcept;
// Sums over carriers and processors; any thread.
std::uint64_t total(const runtime_core&, atomic<std::uint64_t> counters::*) noexcept;
}  // namespace weft::detail
