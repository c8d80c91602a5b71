#pragma once
#include <cstdint>

#include "base/clock.hpp"

namespace weft::detail {
// From ticks() to nanoseconds since the trace began: a straight line through two points, the last
// two at which both clocks were read. One thread.
class trace_clock {
 public:
  void begin() noexcept {
    tick_ = ticks();
    first_ns_ = now();
  }
  // Before events are converted that are younger than the last call. Two calls should lie a
  // millisecond apart.
  void calibrate() noexcept {
    const std::uint64_t tick = ticks();
    const nanos ns = now() - first_ns_;
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
  nanos first_ns_ = 0;
  std::uint64_t tick_ = 0;  // the last point
  nanos ns_ = 0;            // likewise, since first_ns_
  double ns_per_tick_ = 0;
};
}  // namespace weft::detail
