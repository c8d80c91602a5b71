// The programs that fork and join, but for the system: `--work fib|nqueens|quicksort|uts`, repeated
// `--rounds` times; the fastest counts, since what disturbs only adds.
#pragma once

#include <algorithm>
#include <limits>

#include "fork_work.hpp"
#include "program.hpp"

namespace bench {

// run(f): runs f where the system's workers are.
template <class Fork, class Run>
void measure_forks(const arguments& args, const char* system, Run run) {
  const std::string_view work = args.text("--work", "fib");
  const std::uint64_t workers = args.number("--workers", 1);
  const std::uint64_t rounds = args.number("--rounds", 3);
  const bool sorts = work == "quicksort";
  const std::uint64_t usual = sorts ? 10'000'000 : work == "fib" ? 32 : 12;
  const std::uint64_t size = args.number("--size", usual);
  const auto n = static_cast<unsigned>(size);
  const auto numbers = shuffled(sorts ? size : 0);
  auto sorted = numbers;
  double best = std::numeric_limits<double>::infinity();
  std::uint64_t result = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    sorted = numbers;
    run([&] {
      const auto begin = clock::now();
      if (work == "fib") {
        result = fib<Fork>(n);
      } else if (work == "nqueens") {
        result = queens<Fork>(n, 0, board{}, 0, n);
      } else if (sorts) {
        quicksort<Fork>(sorted.data(), sorted.data() + sorted.size());
        result = std::is_sorted(sorted.begin(), sorted.end());
      } else if (work == "uts") {
        result = count_nodes<Fork>(uts::root(), 0);
      } else {
        fail("--work is fib, nqueens, quicksort or uts");
      }
      best = std::min(best, seconds_since(begin));
    });
    const bool right = work == "fib"       ? n != 32 || result == 2178309
                       : work == "nqueens" ? n != 12 || result == 14200
                       : sorts             ? result == 1
                                           : result == 4130071;
    if (!right) fail("wrong result");
  }
  report(system, work).run(workers, size, 1, best).print();
}
}  // namespace bench
