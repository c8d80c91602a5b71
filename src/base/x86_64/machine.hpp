#pragma once
#include <cstdint>

// The instructions that layer 0 asks an x86-64 for. CMake chooses the folder.
namespace weft::detail::machine {
// For loops that wait for another CPU.
inline void cpu_relax() noexcept {
  __builtin_ia32_pause();
}

// A cheap clock for rate limits only: its unit is unspecified and it is never shown to a user.
inline std::uint64_t ticks() noexcept {
  return __builtin_ia32_rdtsc();
}
// How many make that many nanoseconds, within a factor of two: as if every TSC ran at 2.5 GHz.
constexpr std::uint64_t ticks_in(std::uint64_t nanoseconds) noexcept {
  return nanoseconds * 5 / 2;
}
}  // namespace weft::detail::machine
