#pragma once
#include <cstddef>

namespace weft::detail {
// Two writers on one line cost a transfer each time; 64 bytes on every machine we build for. Not
// std::hardware_destructive_interference_size: gcc makes it an ABI that -mtune may change.
inline constexpr std::size_t cache_line = 64;
}  // namespace weft::detail
