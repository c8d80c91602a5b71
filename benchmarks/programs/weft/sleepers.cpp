// `--size` fibers that sleep for an hour and are woken at once by a stop: an operation is to arm a
// timer, to cancel it, and what a fiber does for that. Every fiber has its stack, and parks, before
// the clock starts.
#include <atomic>
#include <vector>
#include <weft/weft.hpp>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t size = args.number("--size", 1'000'000);
  const auto workers = static_cast<unsigned>(args.number("--workers", 1));

  weft::runtime runtime({.workers = workers});
  runtime.run([&] {
    weft::event begin;
    weft::latch begun(static_cast<std::ptrdiff_t>(size));
    std::atomic<std::uint64_t> asleep{0};
    std::atomic<std::uint64_t> woken{0};
    std::vector<weft::fiber> fibers;
    fibers.reserve(size);
    for (std::uint64_t i = 0; i < size; ++i) {
      fibers.emplace_back([&] {
        begun.count_down();
        begin.wait();
        asleep.fetch_add(1, std::memory_order_relaxed);
        try {
          weft::this_fiber::sleep_for(std::chrono::hours(1));
        } catch (const weft::operation_canceled&) {
          woken.fetch_add(1, std::memory_order_relaxed);
        }
      });
    }
    begun.wait();
    const auto start = bench::clock::now();
    begin.set();
    while (asleep.load(std::memory_order_relaxed) != size) weft::this_fiber::yield();
    for (auto& each : fibers) each.request_stop();
    for (auto& each : fibers) each.join();
    const double seconds = bench::seconds_since(start);
    if (woken != size) bench::fail("a fiber was not woken");
    bench::report("weft", "sleepers").run(workers, size, size, seconds).print();
  });
}
