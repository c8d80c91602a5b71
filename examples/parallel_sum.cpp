// Sums a large array on all processors: one fiber for each part.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <span>
#include <vector>
#include <weft/weft.hpp>

namespace {

std::uint64_t parallel_sum(std::span<const std::uint64_t> numbers, std::size_t parts) {
  std::vector<std::uint64_t> sums(parts);
  std::vector<weft::fiber> fibers;
  for (std::size_t i = 0; i < parts; ++i) {
    const std::size_t first = numbers.size() * i / parts;
    const std::size_t last = numbers.size() * (i + 1) / parts;
    fibers.emplace_back([part = numbers.subspan(first, last - first), &sum = sums[i]] {
      sum = std::reduce(part.begin(), part.end());
    });
  }
  for (weft::fiber& fiber : fibers) fiber.join();
  return std::reduce(sums.begin(), sums.end());
}

}  // namespace

int main() {
  std::vector<std::uint64_t> numbers(50'000'000);
  std::iota(numbers.begin(), numbers.end(), 1u);
  const std::size_t parts = 8 * std::max(1u, weft::fiber::hardware_concurrency());

  const std::uint64_t sum = weft::run([&] { return parallel_sum(numbers, parts); });
  std::printf("%llu\n", static_cast<unsigned long long>(sum));
  return sum == numbers.size() * (numbers.size() + 1) / 2 ? 0 : 1;
}
