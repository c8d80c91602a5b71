#pragma once
#include <time.h>

#include <cstdint>
#include <limits>

#include "machine.hpp"

namespace weft::detail {
// Nanoseconds of CLOCK_MONOTONIC. Deadlines are absolute and saturate; `never` lies outside what a
// clock can return.
using nanos = std::int64_t;
inline constexpr nanos never = std::numeric_limits<nanos>::max();

inline nanos now() noexcept {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<nanos>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

// The same clock as of the last kernel tick, at most 10 ms ago: a fifth of the price.
inline nanos coarse_now() noexcept {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return static_cast<nanos>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

// Whether `deadline` has passed. The coarse clock costs a fifth of the exact one and lags behind it
// by a kernel tick, at most 10 ms (CONFIG_HZ=100); only when that might matter is the exact one
// read.
inline bool has_passed(nanos deadline) noexcept {
  const nanos coarse = coarse_now();
  if (coarse >= deadline) return true;
  return deadline - coarse < 20'000'000 && now() >= deadline;
}

// now + duration without wrapping: a sleep of hours::max() is for ever, a negative one has passed.
inline nanos saturating_add(nanos at, nanos by) noexcept {
  nanos sum;
  if (!__builtin_add_overflow(at, by, &sum)) return sum;
  return by < 0 ? std::numeric_limits<nanos>::min() : never;
}

inline timespec to_timespec(nanos duration) noexcept {
  if (duration < 0) duration = 0;
  return {.tv_sec = duration / 1'000'000'000, .tv_nsec = duration % 1'000'000'000};
}

using machine::ticks;
using machine::ticks_in;
}  // namespace weft::detail
