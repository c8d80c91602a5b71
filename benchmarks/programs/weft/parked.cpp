// Starts `--size` fibers that park, and times it until the last one has; then what each of them
// costs in memory. Nothing has warmed the process: its stacks are all new.
#include <atomic>
#include <cstdlib>
#include <weft/weft.hpp>

#include "process.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t size = args.number("--size", 1'000'000);
  const auto workers = static_cast<unsigned>(args.number("--workers", 2));

  std::atomic<std::uint64_t> begun = 0;
  std::atomic<std::uint64_t> ended = 0;
  struct count_on_exit {
    std::atomic<std::uint64_t>& ended;
    ~count_on_exit() { ended.fetch_add(1, std::memory_order_relaxed); }
  };
  {
    weft::runtime runtime({.workers = workers});
    runtime.run([&] {
      const bench::memory_use before = bench::memory_now();
      const auto begin = bench::clock::now();
      for (std::uint64_t i = 0; i < size; ++i)
        weft::fiber([&] {
          const count_on_exit count{ended};
          begun.fetch_add(1, std::memory_order_relaxed);
          weft::this_fiber::sleep_for(std::chrono::hours(24));
        }).detach();
      while (begun.load(std::memory_order_relaxed) != size) weft::this_fiber::yield();
      const double seconds = bench::seconds_since(begin);
      const bench::memory_use after = bench::memory_now();

      bench::report("weft", "parked")
          .run(workers, size, size, seconds)
          .count("rss_kib", after.rss_kib - before.rss_kib)
          .count("page_table_kib", after.page_table_kib - before.page_table_kib)
          .count("mappings", after.mappings)
          .print();
    });
    // To end them all takes longer than to measure them: only where it is asked for.
    if (args.number("--drain", 0) == 0) std::_Exit(0);
  }
  if (ended != size) bench::fail("a fiber did not end");
}
