// Independent fibers that only compute: `--size` of them, `--steps` each.
#include <atomic>
#include <vector>
#include <weft/weft.hpp>

#include "program.hpp"
#include "work.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const auto workers = static_cast<unsigned>(args.number("--workers", 2));
  const std::uint64_t size = args.number("--size", 64);
  const std::uint64_t steps = args.number("--steps", 15'000'000);

  weft::runtime runtime({.workers = workers});
  runtime.run([&] {
    std::atomic<std::uint64_t> sum = 0;
    std::vector<weft::fiber> fibers;
    fibers.reserve(size);
    const auto begin = bench::clock::now();
    for (std::uint64_t i = 0; i < size; ++i)
      fibers.emplace_back([&, i] { sum += bench::spin_work(steps, i + 1); });
    for (auto& fiber : fibers) fiber.join();
    const double seconds = bench::seconds_since(begin);

    std::uint64_t expected = 0;
    if (args.number("--check", 0) != 0) {
      for (std::uint64_t i = 0; i < size; ++i) expected += bench::spin_work(steps, i + 1);
      if (sum != expected) bench::fail("a wrong sum");
    }
    bench::report("weft", "cpu_scaling")
        .run(workers, size, size, seconds)
        .count("sum", sum.load())
        .print();
  });
}
