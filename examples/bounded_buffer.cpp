// Producers and consumers around a channel that holds eight: the producers wait while it is full,
// the consumers while it is empty, and its close ends the consumers' loops. One of the producers is
// a kernel thread, which waits as the fibers do.
#include <array>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>
#include <weft/weft.hpp>

namespace {

constexpr std::uint64_t each = 10'000;
constexpr std::size_t fibers = 3;

void produce(weft::channel<std::uint64_t>& into) {
  for (std::uint64_t i = 1; i <= each; ++i) into.send(i);
}

std::uint64_t sum_of_all() {
  weft::channel<std::uint64_t> buffer(8);
  std::array<std::uint64_t, 2> sums{};
  std::vector<weft::fiber> consumers;
  for (std::uint64_t& sum : sums) {
    consumers.emplace_back([&] {
      for (const std::uint64_t n : buffer) sum += n;
    });
  }

  std::thread outside([&] { produce(buffer); });
  std::vector<weft::fiber> producers;
  for (std::size_t i = 0; i < fibers; ++i) producers.emplace_back([&] { produce(buffer); });
  for (weft::fiber& producer : producers) producer.join();
  weft::blocking([&] { outside.join(); });

  buffer.close();
  for (weft::fiber& consumer : consumers) consumer.join();
  return sums[0] + sums[1];
}

}  // namespace

int main() {
  const std::uint64_t sum = weft::run(sum_of_all);
  std::printf("%llu\n", static_cast<unsigned long long>(sum));
  return sum == (fibers + 1) * each * (each + 1) / 2 ? 0 : 1;
}
