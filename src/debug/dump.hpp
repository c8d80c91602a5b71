#pragma once
#include <weft/debug.hpp>

namespace weft::detail {
struct runtime_core;
// The fibers of one runtime, or of all when null. Any thread; signal-safe but for a thread that
// sleeps for some microseconds at a time.
void dump_fibers(int fd, const runtime_core* only, dump_detail detail) noexcept;
}  // namespace weft::detail
