// One std::thread at a time: start it, join it.
#include <thread>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t size = args.number("--size", 20'000);

  std::uint64_t ran = 0;
  const auto begin = bench::clock::now();
  for (std::uint64_t i = 0; i < size; ++i) std::thread([&ran] { ++ran; }).join();
  const double seconds = bench::seconds_since(begin);

  if (ran != size) bench::fail("a thread did not run");
  bench::report("pthread", "spawn_join").run(1, size, size, seconds).print();
}
