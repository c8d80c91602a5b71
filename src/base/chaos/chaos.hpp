#pragma once
// The hooks of base/chaos_points.hpp in a library with chaos mode.
//
// Every decision is a hash of five things: the seed, the episode, the kernel thread, the point, and
// how often that thread has come by that point. So a thread decides the same in two runs as long as
// it comes by the same points equally often, whatever the others do; no stream is shared.
//
// An episode is one test: decisions start anew, so that a test decides the same alone and among
// others.
#include <cstddef>
#include <cstdint>

#include "atomic_type.hpp"
#include "base/chaos_points.hpp"
#include "base/clock.hpp"

namespace weft::detail::chaos {
// Of a kernel thread, in its header; only that thread, and signal handlers on it, touch it.
struct thread_state {
  std::uint64_t identity = 0;
  std::uint32_t episode = 0;  // in which `identity` was made; 0: not yet
  std::uint32_t role = 0;     // see name_thread; 0: a thread of the program's own
  std::uint32_t birth = 0;    // how many of this role came before
  std::uint32_t calm = 0;     // atomic operations until the next delay
  std::uint32_t came_by[static_cast<std::size_t>(point::count_)] = {};
};

bool strikes_slow(point) noexcept;
inline bool on() noexcept {
  return active;
}
// The calling thread's next decision at that point.
inline bool strikes(point at) noexcept {
  return active && strikes_slow(at);
}

// Which carrier a fiber left last, if it may not resume there.
struct trail {
  static constexpr unsigned lines = 1;  // by which it makes the control block larger
  void left(const void* carrier) noexcept { where_ = strikes(point::migrate) ? carrier : nullptr; }
  void forget() noexcept { where_ = nullptr; }
  template <class Holder>
  bool was_left_on(const Holder& holder) const noexcept {
    return where_ && where_ == holder.load(std::memory_order_relaxed);
  }

 private:
  const void* where_ = nullptr;
};

// Carriers beyond the number of processors that a runtime starts with: who else should a fiber of a
// runtime with one worker resume on?
inline constexpr std::uint32_t spares = 2;
// A time before `until`, or `until`.
nanos sooner(nanos until) noexcept;
// A thread of a runtime: index of a carrier + 1, or the largest number for the monitor.
void name_thread(std::uint32_t role) noexcept;
// Start of a runtime: the first call says which seed rules. Throws std::system_error (EINVAL) if
// WEFT_CHAOS cannot be read.
void announce(bool aloud = true);
// Before the end of the process is forced.
void tell_seed() noexcept;

// Tests: a new episode, named. The runtimes that exist go on in it.
void begin_episode(const char* name) noexcept;
// How often that point has struck, by any thread, since the process began.
std::uint64_t struck(point) noexcept;
// The text of WEFT_CHAOS; empty if chaos is off.
const char* setting() noexcept;
}  // namespace weft::detail::chaos
