#pragma once
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>

// Durations and time points of any representation, as saturating nanoseconds of CLOCK_MONOTONIC.
namespace weft::detail {
inline constexpr std::int64_t no_deadline = std::numeric_limits<std::int64_t>::max();

std::int64_t monotonic_now() noexcept;

template <class R, class P>
std::int64_t to_nanos(const std::chrono::duration<R, P>& duration) noexcept {
  // Compared in long double first: duration_cast overflows silently.
  const auto exact =
      std::chrono::duration_cast<std::chrono::duration<long double, std::nano>>(duration).count();
  if (exact >= 9.2e18L) return no_deadline;
  if (!(exact > 0)) return 0;  // NaN too
  const auto rounded = std::ceil(exact);
  return static_cast<std::int64_t>(rounded);
}

template <class R, class P>
std::int64_t deadline_after(const std::chrono::duration<R, P>& duration) noexcept {
  const std::int64_t by = to_nanos(duration);
  if (by == 0) return 0;  // has passed: no need to read the clock
  const std::int64_t at = monotonic_now();
  return by > no_deadline - at ? no_deadline : at + by;
}

template <class C, class D>
std::int64_t deadline_at(const std::chrono::time_point<C, D>& time) noexcept {
  return deadline_after(time - C::now());
}
}  // namespace weft::detail
