#pragma once
#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <thread>
#include <tuple>
#include <vector>

#include "support/chaotic.hpp"
#include "support/fibers.hpp"

// What works among fibers must work among kernel threads, and mixed: the same test for each.
namespace weft::test {
enum class who { fibers, threads, mixed, two_runtimes };
using crew = std::tuple<who, unsigned>;  // and how many workers

inline std::ostream& operator<<(std::ostream& out, who w) {
  constexpr const char* names[] = {"fibers", "threads", "mixed", "two_runtimes"};
  return out << names[static_cast<int>(w)];
}

inline std::string name_of_crew(const testing::TestParamInfo<crew>& info) {
  constexpr const char* names[] = {"fibers", "threads", "mixed", "two_runtimes"};
  return std::string(names[static_cast<int>(std::get<0>(info.param))]) + "_" +
         std::to_string(std::get<1>(info.param));
}

// Calls f(i) for each i below n, each on a fiber or a kernel thread of its own. Returns when all
// have returned. Of a mixed crew every other one is a thread; with two runtimes there are fibers of
// both, and threads.
template <class F>
void on_all(const crew& c, int n, F f) {
  const auto [kind, workers] = c;
  std::optional<runtime> one;
  std::optional<runtime> other;
  if (kind != who::threads) one.emplace(runtime_options{.workers = workers});
  if (kind == who::two_runtimes) other.emplace(runtime_options{.workers = workers});
  std::vector<fiber> fibers;
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) {
    const bool thread = kind == who::threads || (kind == who::mixed && i % 2 == 1) ||
                        (kind == who::two_runtimes && i % 3 == 2);
    if (thread) {
      threads.emplace_back([&f, i] { f(i); });
    } else {
      runtime& rt = kind == who::two_runtimes && i % 3 == 1 ? *other : *one;
      fibers.emplace_back(on(rt), [&f, i] { f(i); });
    }
  }
  for (fiber& each : fibers) each.join();
  for (std::thread& each : threads) each.join();
}
// For INSTANTIATE_TEST_SUITE_P(crews, suite, crews, name_of_crew). Threads need no workers.
inline const auto crews = testing::Values(
    crew{who::fibers, 1}, crew{who::fibers, 2}, crew{who::fibers, 4}, crew{who::threads, 0},
    crew{who::mixed, 1}, crew{who::mixed, 2}, crew{who::mixed, 4}, crew{who::two_runtimes, 2});
class by_crew : public testing::TestWithParam<crew> {};
}  // namespace weft::test
