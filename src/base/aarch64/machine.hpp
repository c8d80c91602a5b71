#pragma once
#include <cstdint>

// The instructions that layer 0 asks an AArch64 for. CMake chooses the folder.
namespace weft::detail::machine {
// For loops that wait for another CPU. Not yield, which does nothing on nearly every core: isb
// drains the pipeline, which takes about as long as an x86-64's pause.
inline void cpu_relax() noexcept {
  asm volatile("isb");
}

// A cheap clock for rate limits only: its unit is unspecified and it is never shown to a user.
inline std::uint64_t ticks() noexcept {
  std::uint64_t count;
  asm volatile("mrs %0, cntvct_el0" : "=r"(count));
  return count;
}
// How many make that many nanoseconds; up to 18 s. Cores count at anything from 1 MHz to 1 GHz, and
// say so: at few MHz the shortest waits become a tick.
inline std::uint64_t ticks_in(std::uint64_t nanoseconds) noexcept {
  std::uint64_t hertz;
  asm("mrs %0, cntfrq_el0" : "=r"(hertz));
  return nanoseconds * hertz / 1'000'000'000;
}
}  // namespace weft::detail::machine
