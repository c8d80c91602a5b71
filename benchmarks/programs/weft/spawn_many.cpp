// Starts `--size` fibers, then joins them all; `--rounds` times.
#include <vector>
#include <weft/weft.hpp>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t size = args.number("--size", 10'000);
  const std::uint64_t rounds = args.number("--rounds", 200);

  weft::runtime runtime({.workers = 1});
  runtime.run([&] {
    std::uint64_t ran = 0;
    std::vector<weft::fiber> fibers;
    fibers.reserve(size);
    const auto begin = bench::clock::now();
    for (std::uint64_t round = 0; round < rounds; ++round) {
      for (std::uint64_t i = 0; i < size; ++i) fibers.emplace_back([&ran] { ++ran; });
      for (auto& fiber : fibers) fiber.join();
      fibers.clear();
    }
    const double seconds = bench::seconds_since(begin);

    if (ran != size * rounds) bench::fail("a fiber did not run");
    bench::report("weft", "spawn_many").run(1, size, size * rounds, seconds).print();
  });
}
