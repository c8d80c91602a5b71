// A select that receives from four channels, of which one, another each time, has a value. An
// operation is the send that makes it ready, and the select.
#include <array>
#include <weft/weft.hpp>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t ops = args.number("--ops", 5'000'000);

  weft::runtime runtime({.workers = 1});
  runtime.run([&] {
    weft::channel<std::uint64_t> a(1), b(1), c(1), d(1);
    const std::array<weft::channel<std::uint64_t>*, 4> all{&a, &b, &c, &d};
    std::uint64_t sum = 0;
    const auto add = [&](std::uint64_t n) { sum += n; };
    const auto begin = bench::clock::now();
    for (std::uint64_t i = 0; i < ops; ++i) {
      all[i % 4]->send(i);
      weft::select(weft::on_receive(a, add), weft::on_receive(b, add), weft::on_receive(c, add),
                   weft::on_receive(d, add));
    }
    const double seconds = bench::seconds_since(begin);

    if (sum != ops * (ops - 1) / 2) bench::fail("a value was lost");
    bench::report("weft", "select").run(1, 4, ops, seconds).print();
  });
}
