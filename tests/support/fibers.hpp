#pragma once
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>
#include <system_error>
#include <utility>
#include <weft/weft.hpp>

// What tests of fibers have in common.
namespace weft::test {
// Whether f ends by operation_canceled.
template <class F>
bool canceled(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const operation_canceled&) {
    return true;
  }
  return false;
}

inline fiber_options on(runtime& rt) {
  fiber_options options;
  options.on = &rt;
  return options;
}

// Gives way, on a fiber or a kernel thread, until the condition holds. A test
// whose condition never does is ended by the runner's time limit.
template <class Condition>
void until(Condition&& condition) {
  while (!condition()) this_fiber::yield();
}

// Gives way until a cancellation point of the running fiber throws. The token may tell of a request
// before that: until request_stop has returned.
inline void until_cancelled() {
  until([] { return canceled([] { this_fiber::sleep_for(std::chrono::seconds(0)); }); });
}

// Gives way until `count` fibers of the runtime are parked. Exact when the
// runtime has one worker and the caller is a fiber of it.
inline void until_parked(const runtime& on, std::uint64_t count) {
  until([&] { return on.stats().fibers_parked >= count; });
}

// A fiber that sleeps below n + 1 frames of this name: what backtraces are to show.
[[gnu::noinline]] inline void sleep_in_depth(int n) {
  if (n == 0) {
    this_fiber::sleep_for(std::chrono::hours(1));
  } else {
    sleep_in_depth(n - 1);
  }
  asm volatile("");  // no tail call
}

// The code of the std::system_error that f throws, and its text; no error if it
// throws none.
struct thrown {
  std::error_code code;
  std::string text;
};
template <class F>
thrown thrown_by(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const std::system_error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

// The seed of a random test: WEFT_SEED, or one that differs from run to run.
std::uint64_t seed();
}  // namespace weft::test
