#pragma once
#include <cstdint>

#include "base/clock.hpp"

namespace weft::detail {
// From ticks() to nanoseconds since the trace began: a straight line through two points, the last
// two at which both clocks were read. One thread.
class trace_clock {
 public:
  void begin() noexcept {
    const point at = read_both();
    tick_ = at.tick;
    first_ns_ = at.ns;
  }
  // Before events are converted that are younger than the last call. Two calls should lie a
  // millisecond apart.
  void calibrate() noexcept {
    const point at = read_both();
    const std::uint64_t tick = at.tick;
    const nanos ns = at.ns - first_ns_;
    if (tick <= tick_ || ns <= ns_) return;
    ns_per_tick_ = static_cast<double>(ns - ns_) / static_cast<double>(tick - tick_);
    tick_ = tick;
    ns_ = ns;
  }
  std::uint64_t since_begin(std::uint64_t tick) const noexcept {
    const auto from_last = static_cast<double>(static_cast<std::int64_t>(tick - tick_));
    const nanos ns = ns_ + static_cast<nanos>(from_last * ns_per_tick_);
    return ns < 0 ? 0 : static_cast<std::uint64_t>(ns);
  }

 private:
  struct point {
    std::uint64_t tick;
    nanos ns;
  };
  // Both clocks at one moment. The thread may be interrupted between the two, and a line through
  // such a point would put the end of one event behind the begin of the next; so the closest of a
  // few.
  static point read_both() noexcept {
    point best{};
    std::uint64_t least = ~std::uint64_t{0};
    for (int i = 0; i < 5; ++i) {
      const std::uint64_t before = ticks();
      const nanos ns = now();
      const std::uint64_t took = ticks() - before;
      if (took >= least) continue;
      least = took;
      best = {before + took / 2, ns};
    }
    return best;
  }

  nanos first_ns_ = 0;
  std::uint64_t tick_ = 0;  // the last point
  nanos ns_ = 0;            // likewise, since first_ns_
  double ns_per_tick_ = 0;
};
}  // namespace weft::detail
