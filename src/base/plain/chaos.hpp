#pragma once
// The hooks of base/chaos_points.hpp in a library without chaos mode.
#include "base/chaos_points.hpp"
#include "base/clock.hpp"

namespace weft::detail::chaos {
struct thread_state {};

struct trail {
  static constexpr unsigned lines = 0;
  void left(const void*) noexcept {}
  void forget() noexcept {}
  template <class Holder>
  constexpr bool was_left_on(const Holder&) const noexcept {
    return false;
  }
};

inline constexpr std::uint32_t spares = 0;
constexpr bool on() noexcept {
  return false;
}
constexpr bool strikes(point) noexcept {
  return false;
}
constexpr nanos sooner(nanos until) noexcept {
  return until;
}
inline void name_thread(std::uint32_t) noexcept {}
inline void tell_seed() noexcept {}
inline void begin_episode(const char*) noexcept {}
constexpr std::uint64_t struck(point) noexcept {
  return 0;
}
constexpr const char* setting() noexcept {
  return "";
}
// Start of a runtime: says once that this library has no chaos mode, if the environment asks for
// it.
void announce();
inline void announce(bool) {}  // tests
}  // namespace weft::detail::chaos
