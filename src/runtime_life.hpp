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
}  // namespace weft::detail
