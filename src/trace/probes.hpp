#pragma once
#include <cstdint>

// Static probes (USDT) for bpftrace, perf, systemtap and gdb, at the same points as the events of a
// trace: probes_usdt.cpp where <sys/sdt.h> is there, else probes_none.cpp; CMake chooses.
//
// They are no instruction on the hot paths. A tool that attaches to one raises its semaphore; the
// monitor sees that, within 10 ms while anything runs, and from then on fibers take the long way
// from one to the next, where the probes are (sched/observe.hpp).
namespace weft::detail {
// Whether a tool is attached to any of them. Any thread.
bool probes_attached() noexcept;

void probe_spawn(std::uint64_t id, std::uint64_t by, const char* file, std::uint32_t line) noexcept;
void probe_run(std::uint64_t id, std::uint32_t worker) noexcept;
// `why`: trace_why's numbers; `arg`: the descriptor, or the fiber joined.
void probe_stop(std::uint64_t id, std::uint32_t why, std::uint64_t arg) noexcept;
void probe_wake(std::uint64_t id, std::uint64_t by, std::uint32_t why) noexcept;
void probe_steal(std::uint32_t worker, std::uint32_t from, std::uint64_t id) noexcept;
// `how`: traced::sleep or traced::watch.
void probe_sleep(std::uint32_t thread, std::uint32_t how) noexcept;
void probe_awake(std::uint32_t thread, std::uint32_t how) noexcept;
}  // namespace weft::detail
