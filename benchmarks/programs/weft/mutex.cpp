// `--size` fibers count under one mutex, each as often as it can.
#include <mutex>
#include <vector>
#include <weft/weft.hpp>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t size = args.number("--size", 4);
  const auto workers = static_cast<unsigned>(args.number("--workers", 1));
  const std::uint64_t each = args.number("--ops", 4'000'000) / size;

  weft::runtime runtime({.workers = workers});
  runtime.run([&] {
    weft::mutex mutex;
    std::uint64_t count = 0;
    weft::latch ready(static_cast<std::ptrdiff_t>(size));
    weft::event go;
    std::vector<weft::fiber> fibers;
    for (std::uint64_t i = 0; i < size; ++i)
      fibers.emplace_back([&] {
        ready.count_down();
        go.wait();
        for (std::uint64_t n = 0; n < each; ++n) {
          const std::lock_guard lock(mutex);
          ++count;
        }
      });
    ready.wait();

    const auto begin = bench::clock::now();
    go.set();
    for (auto& fiber : fibers) fiber.join();
    const double seconds = bench::seconds_since(begin);

    if (count != size * each) bench::fail("an increment was lost");
    bench::report("weft", "mutex").run(workers, size, count, seconds).print();
  });
}
