// A tree of ten children a node with `--size` leaves, whose numbers are summed up: each node but
// the root a fiber in the scope of its parent (`--by scope`), or a branch of fork_join
// (`--by fork_join`). The fastest of `--rounds` counts, since what disturbs only adds.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <weft/weft.hpp>

#include "program.hpp"

namespace {
constexpr std::uint64_t wide = 10;

std::uint64_t by_scope(std::uint64_t first, std::uint64_t size) {
  if (size == 1) return first;
  std::array<std::uint64_t, wide> sums;
  {
    weft::scope children;
    for (std::uint64_t i = 0; i < wide; ++i) {
      children.spawn([&sum = sums[i], first = first + i * (size / wide), size = size / wide] {
        sum = by_scope(first, size);
      });
    }
    children.join();
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t each : sums) sum += each;
  return sum;
}

std::uint64_t by_fork_join(std::uint64_t first, std::uint64_t size) {
  if (size == 1) return first;
  std::array<std::uint64_t, wide> sums;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    weft::fork_join([&sum = sums[I], first = first + I * (size / wide), size = size / wide] {
      sum = by_fork_join(first, size);
    }...);
  }
  (std::make_index_sequence<wide>());
  std::uint64_t sum = 0;
  for (const std::uint64_t each : sums) sum += each;
  return sum;
}
}  // namespace

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t size = args.number("--size", 1'000'000);
  const std::uint64_t rounds = args.number("--rounds", 3);
  const auto workers = static_cast<unsigned>(args.number("--workers", 2));
  const auto work = args.text("--by", "scope") == "scope" ? by_scope : by_fork_join;

  double best = std::numeric_limits<double>::infinity();
  weft::runtime runtime({.workers = workers});
  for (std::uint64_t round = 0; round < rounds; ++round) {
    runtime.run([&] {
      const auto begin = bench::clock::now();
      if (work(0, size) != size * (size - 1) / 2) bench::fail("a leaf was lost");
      best = std::min(best, bench::seconds_since(begin));
    });
  }
  bench::report("weft", "skynet").run(workers, size, size, best).print();
}
