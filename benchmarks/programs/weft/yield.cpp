// `--size` fibers on one worker, each yielding in turn.
#include <vector>
#include <weft/weft.hpp>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t size = args.number("--size", 2);
  const std::uint64_t each = args.number("--ops", 5'000'000) / size;

  weft::runtime runtime({.workers = 1});
  runtime.run([&] {
    std::vector<weft::fiber> fibers;
    fibers.reserve(size);
    std::uint64_t ready = 0;
    bool go = false;
    std::uint64_t yields = 0;
    for (std::uint64_t i = 0; i < size; ++i)
      fibers.emplace_back([&] {
        // Every fiber has its stack and has touched it before the clock starts.
        ++ready;
        while (!go) weft::this_fiber::yield();
        for (std::uint64_t n = 0; n < each; ++n) weft::this_fiber::yield();
        yields += each;
      });
    while (ready != size) weft::this_fiber::yield();

    go = true;
    const auto begin = bench::clock::now();
    for (auto& fiber : fibers) fiber.join();
    const double seconds = bench::seconds_since(begin);

    if (yields != size * each) bench::fail("a fiber did not finish");
    bench::report("weft", "yield").run(1, size, yields, seconds).print();
  });
}
