#pragma once
#include <chrono>
#include <cstdint>
#include <limits>
#include <type_traits>

// Durations and time points of any representation, as saturating nanoseconds of CLOCK_MONOTONIC.
namespace weft::detail {
inline constexpr std::int64_t no_deadline = std::numeric_limits<std::int64_t>::max();

std::int64_t monotonic_now() noexcept;  // virtual in a run of weft::testing::explore

// A time of std::chrono::steady_clock as a deadline: the same number, or virtual time.
std::int64_t steady_deadline(std::int64_t at) noexcept;
// A clock of the world is read: an explored run is not deterministic then. True: in such a run.
bool note_real_clock() noexcept;
// weft::testing::clock says that it is not one.
template <class C>
inline constexpr bool is_real_clock = !requires {
  C::is_weft_virtual;
};

template <class R, class P>
std::int64_t to_nanos(const std::chrono::duration<R, P>& duration) noexcept {
  // Compared in long double first: duration_cast overflows silently.
  const auto exact =
      std::chrono::duration_cast<std::chrono::duration<long double, std::nano>>(duration).count();
  if (exact >= 9.2e18L) return no_deadline;
  if (!(exact > 0)) return 0;  // NaN too
  auto rounded = static_cast<std::int64_t>(exact);
  if (static_cast<long double>(rounded) < exact) ++rounded;  // up: never early
  return rounded;
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
  if constexpr (std::is_same_v<C, std::chrono::steady_clock>) {
    // The same clock (libstdc++'s is CLOCK_MONOTONIC): no two readings with a preemption in
    // between.
    return steady_deadline(to_nanos(time.time_since_epoch()));
  }
  if constexpr (is_real_clock<C>) note_real_clock();
  const auto now = C::now();
  if (time <= now) return 0;  // also keeps the difference from overflowing at time_point::min()
  const auto exact = [](const auto& t) {
    return std::chrono::duration<long double>(t.time_since_epoch());
  };
  // Far futures are compared in long double: time - now may not fit the clock's own representation.
  if ((exact(time) - exact(now)).count() > 9.2e9L) return no_deadline;
  return deadline_after(time - now);
}

// attempt(deadline): a wait until a time of any clock. Clocks of the world are looked at again
// after every wait, so that one that is set back is waited for.
template <class C, class D, class Attempt>
auto wait_until(const std::chrono::time_point<C, D>& time, Attempt&& attempt) {
  for (;;) {
    auto done = attempt(deadline_at(time));
    // Virtual time does not move a clock of the world.
    if (done || C::is_steady || C::now() >= time || note_real_clock()) return done;
  }
}
}  // namespace weft::detail
