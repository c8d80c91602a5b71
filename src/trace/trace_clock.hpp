#pragma once
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace weft::detail {
// From ticks() to nanoseconds since the trace began: straight lines between points at which both
// clocks were read. One thread.
//
// A moment is on the same line whenever it is converted, and none lies beyond the last point. So
// the order of moments is kept: a slice that began long ago does not begin before the end of the
// one before it, which the line through two younger points would claim.
template <class Clocks>
class basic_trace_clock {
 public:
  void begin() noexcept { points_[0] = read_both(); }
  std::uint64_t since_begin(std::uint64_t tick) noexcept {
    if (tick > points_[count_ - 1].tick || count_ == 1) calibrate();
    std::size_t next = count_ - 1;  // from there on the line ends
    while (next > 1 && points_[next - 1].tick > tick) --next;
    if (next == 0) return 0;
    const point& from = points_[next - 1];
    const point& to = points_[next];
    const double ns_per_tick =
        static_cast<double>(to.ns - from.ns) / static_cast<double>(to.tick - from.tick);
    const auto behind = static_cast<double>(static_cast<std::int64_t>(tick - from.tick));
    const nanos ns = from.ns - points_[0].ns + static_cast<nanos>(behind * ns_per_tick);
    return ns < 0 ? 0 : static_cast<std::uint64_t>(ns);
  }

 private:
  static constexpr std::size_t most = 64;
  struct point {
    std::uint64_t tick = 0;
    nanos ns = 0;
  };

  void calibrate() noexcept {
    const point at = read_both();
    if (at.tick <= points_[count_ - 1].tick || at.ns <= points_[count_ - 1].ns) return;
    if (count_ == most) {  // of the older half every second one will do
      constexpr std::size_t quarter = most / 4;
      for (std::size_t i = 0; i < quarter; ++i) points_[i] = points_[2 * i];
      for (std::size_t i = quarter; i < most - quarter; ++i) points_[i] = points_[i + quarter];
      count_ = most - quarter;
    }
    points_[count_++] = at;
  }
  // Both clocks at one moment. The thread may be interrupted between the two; so the closest of a
  // few.
  static point read_both() noexcept {
    point best{};
    std::uint64_t least = ~std::uint64_t{0};
    for (int i = 0; i < 5; ++i) {
      const std::uint64_t before = Clocks::ticks();
      const nanos ns = Clocks::now();
      const std::uint64_t took = Clocks::ticks() - before;
      if (took >= least) continue;
      least = took;
      best = {before + took / 2, ns};
    }
    return best;
  }

  point points_[most];
  std::size_t count_ = 1;
};

struct clocks_of_the_machine {
  static std::uint64_t ticks() noexcept { return detail::ticks(); }
  static nanos now() noexcept { return detail::now(); }
};
using trace_clock = basic_trace_clock<clocks_of_the_machine>;
}  // namespace weft::detail
