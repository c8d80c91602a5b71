#pragma once
#include <time.h>

#include <cstdint>

// What layer 0 asks any other architecture for, in portable terms.
namespace weft::detail::machine {
inline void cpu_relax() noexcept {
  asm volatile("" ::: "memory");
}

// A cheap clock for rate limits only: its unit is unspecified and it is never shown to a user.
inline std::uint64_t ticks() noexcept {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(t.tv_nsec);
}
constexpr std::uint64_t ticks_in(std::uint64_t nanoseconds) noexcept {
  return nanoseconds;
}
}  // namespace weft::detail::machine
