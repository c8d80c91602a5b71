#pragma once
#include <array>
#include <atomic>
#include <cstddef>

namespace weft::test {
// What a run of the scenario has seen. Lies in memory shared with the parent, so: no pointers.
struct findings {
  std::atomic<int> done{0};   // steps that worked
  std::atomic<int> told{0};   // failures that the library told: an exception, -1 and errno
  std::atomic<int> wrong{0};  // neither: results that differ, fibers that did not run
  std::atomic<int> texts{0};
  char text[24][400] = {};  // of the exceptions, the first ones
  char fault[400] = {};     // the first thing that was wrong

  void tell(const char* what) noexcept;
  void complain(const char* what, long is, long expected) noexcept;
};

// Makes runtimes and uses all that can run out: fibers of many stack sizes, timers, names, stop
// tokens, exceptions, socket pairs, TCP, name look-up, blocking(), kernel threads. Everything ends:
// nothing is left but the default runtime and what is cached on purpose.
void run_scenario(findings& into, int fibers);
inline constexpr std::array<std::size_t, 4> stack_sizes = {16 * 1024, 64 * 1024, 256 * 1024,
                                                           1024 * 1024};
inline constexpr int callers_of_blocking = 3;  // at a time
}  // namespace weft::test
