#pragma once
#include <weft/runtime.hpp>

#include "base/clock.hpp"

// What the files of the top layer share.
namespace weft::detail {
runtime_core& start_runtime(const runtime_options& options);
// Requests stop of every fiber and waits until none is left, or the deadline has passed: false.
bool drain_runtime(runtime_core&, nanos deadline) noexcept;
// No fiber is left: ends the threads.
void end_runtime(runtime_core&) noexcept;
// Made on first use, never destroyed.
runtime_core& default_core();
// From now on a fiber that overflows its stack is named before the process ends, unless
// WEFT_OVERFLOW_REPORT=0 (overflow.cpp). Only the first call does something; any thread.
void report_overflows() noexcept;
// The fibers of one runtime, or of all when null. Signal-safe.
void dump_runtime(int fd, const runtime_core* only) noexcept;
// Whether the runtime is to measure how deep its fibers' stacks are used: by its options, or by
// WEFT_MEASURE_STACKS in the environment.
bool measures_stacks(const runtime_options&) noexcept;
// "file.cpp:12" or "program+0x1234": where fibers of that entry in the table of sites are spawned.
void describe_site(std::uint16_t site, char* to, std::size_t size) noexcept;
}  // namespace weft::detail
