// A model's time: it stands still but for what the model does to it.
#pragma once
#include <cstdint>
#include <limits>

namespace weft::detail {
using nanos = std::int64_t;
inline constexpr nanos never = std::numeric_limits<nanos>::max();

nanos now() noexcept;
// Far from the last call's: nobody spins for a time that does not pass.
std::uint64_t ticks() noexcept;
constexpr std::uint64_t ticks_in(std::uint64_t) noexcept {
  return 1;
}
inline nanos coarse_now() noexcept {
  return now();
}
inline bool has_passed(nanos deadline) noexcept {
  return now() >= deadline;
}
}  // namespace weft::detail
