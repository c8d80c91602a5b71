// One fiber at a time: start it, join it.
#include <weft/weft.hpp>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t size = args.number("--size", 5'000'000);

  weft::runtime runtime({.workers = 1});
  runtime.run([&] {
    std::uint64_t ran = 0;
    const auto begin = bench::clock::now();
    for (std::uint64_t i = 0; i < size; ++i) weft::fiber([&ran] { ++ran; }).join();
    const double seconds = bench::seconds_since(begin);

    if (ran != size) bench::fail("a fiber did not run");
    bench::report("weft", "spawn_join").run(1, size, size, seconds).print();
  });
}
