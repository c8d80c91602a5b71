// Two fibers hand a number back and forth over two channels without a buffer; an operation is one
// hop, from a sender to the receiver that waits for it.
#include <weft/weft.hpp>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t workers = args.number("--workers", 1);
  const std::uint64_t hops = args.number("--ops", 5'000'000);

  weft::runtime runtime({.workers = static_cast<unsigned>(workers)});
  runtime.run([&] {
    weft::channel<std::uint64_t> there, back;
    weft::fiber echo([&] {
      for (const std::uint64_t n : there) back.send(n + 1);
    });

    const auto begin = bench::clock::now();
    std::uint64_t n = 0;
    while (n < hops) {
      there.send(n + 1);
      n = *back.receive();
    }
    const double seconds = bench::seconds_since(begin);

    there.close();
    echo.join();
    if (n != hops / 2 * 2) bench::fail("a hop was lost");
    bench::report("weft", "rendezvous").run(workers, 2, n, seconds).print();
  });
}
