#pragma once
#include "context/context.hpp"

namespace weft::detail {
// Not known here: gdb and dumps show suspended fibers without their frames.
inline constexpr frame_offsets suspended_frame{};

inline void mark_outermost_frame() noexcept {}
}  // namespace weft::detail
