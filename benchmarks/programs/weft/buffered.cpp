// One fiber sends numbers to another through a channel that holds `--size` of them; an operation is
// one number sent and received.
#include <weft/weft.hpp>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t workers = args.number("--workers", 1);
  const std::uint64_t size = args.number("--size", 128);
  const std::uint64_t items = args.number("--ops", 10'000'000);

  weft::runtime runtime({.workers = static_cast<unsigned>(workers)});
  runtime.run([&] {
    weft::channel<std::uint64_t> c(size);
    const auto begin = bench::clock::now();
    weft::fiber producer([&] {
      for (std::uint64_t i = 0; i < items; ++i) c.send(i);
      c.close();
    });
    std::uint64_t sum = 0;
    while (const auto n = c.receive()) sum += *n;
    const double seconds = bench::seconds_since(begin);

    producer.join();
    if (sum != items * (items - 1) / 2) bench::fail("an item was lost");
    bench::report("weft", "buffered").run(workers, size, items, seconds).print();
  });
}
