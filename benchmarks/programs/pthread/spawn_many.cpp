// Starts `--size` std::threads, then joins them all; `--rounds` times. Every thread of a round may
// be alive at once, so the size is bounded by the system's thread limits.
#include <atomic>
#include <thread>
#include <vector>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t size = args.number("--size", 10'000);
  const std::uint64_t rounds = args.number("--rounds", 2);

  std::atomic<std::uint64_t> ran = 0;
  std::vector<std::thread> threads;
  threads.reserve(size);
  const auto begin = bench::clock::now();
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (std::uint64_t i = 0; i < size; ++i)
      threads.emplace_back([&ran] { ran.fetch_add(1, std::memory_order_relaxed); });
    for (auto& thread : threads) thread.join();
    threads.clear();
  }
  const double seconds = bench::seconds_since(begin);

  if (ran != size * rounds) bench::fail("a thread did not run");
  bench::report("pthread", "spawn_many").run(1, size, size * rounds, seconds).print();
}
