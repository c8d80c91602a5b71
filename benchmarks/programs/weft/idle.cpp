// `--size` parked fibers and nothing to do, for `--seconds`: the processor time that this takes.
#include <atomic>
#include <thread>
#include <weft/weft.hpp>

#include "process.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const auto workers = static_cast<unsigned>(args.number("--workers", 2));
  const std::uint64_t size = args.number("--size", 10'000);
  const std::chrono::seconds length(args.number("--seconds", 10));

  weft::runtime runtime({.workers = workers});
  std::atomic<std::uint64_t> begun = 0;
  runtime.run([&] {
    for (std::uint64_t i = 0; i < size; ++i)
      weft::fiber([&] {
        begun.fetch_add(1, std::memory_order_relaxed);
        weft::this_fiber::sleep_for(std::chrono::hours(24));
      }).detach();
    while (begun.load(std::memory_order_relaxed) != size) weft::this_fiber::yield();
  });

  const double before = bench::cpu_seconds();
  const auto begin = bench::clock::now();
  std::this_thread::sleep_for(length);
  const double cpu = bench::cpu_seconds() - before;
  bench::report("weft", "idle")
      .run(workers, size, size, bench::seconds_since(begin))
      .real("cpu_ms", cpu * 1e3)
      .print();
}
