// A fiber and a kernel thread wake each other in turn, by two semaphores.
#include <thread>
#include <weft/weft.hpp>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t rounds = args.number("--ops", 200'000);

  weft::runtime runtime({.workers = 1});
  weft::binary_semaphore ping(0);
  weft::binary_semaphore pong(0);
  std::uint64_t answered = 0;
  weft::fiber_options options;
  options.on = &runtime;
  weft::fiber partner(options, [&] {
    for (std::uint64_t n = 0; n < rounds; ++n) {
      ping.acquire();
      ++answered;
      pong.release();
    }
  });
  const auto begin = bench::clock::now();
  for (std::uint64_t n = 0; n < rounds; ++n) {
    ping.release();
    pong.acquire();
  }
  const double seconds = bench::seconds_since(begin);
  partner.join();
  if (answered != rounds) bench::fail("a wake was lost");
  bench::report("weft", "semaphore").run(1, 2, rounds, seconds).print();
}
