// The primes below a limit, by a chain of fibers: each holds one prime, and passes on what it does
// not divide. The chain grows by a fiber for each prime that comes out of it.
//
//   prime_sieve [LIMIT]
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>
#include <weft/weft.hpp>

namespace {

using numbers = weft::channel<int>;

void filter(numbers& from, numbers& to, int prime) {
  for (const int n : from) {
    if (n % prime != 0) to.send(n);
  }
  to.close();
}

std::vector<int> primes_below(int limit) {
  std::vector<std::unique_ptr<numbers>> links;
  std::vector<weft::fiber> chain;
  links.push_back(std::make_unique<numbers>());
  chain.emplace_back([&first = *links.front(), limit] {
    for (int n = 2; n < limit; ++n) first.send(n);
    first.close();
  });

  std::vector<int> primes;
  while (const auto prime = links.back()->receive()) {
    primes.push_back(*prime);
    numbers& from = *links.back();
    numbers& to = *links.emplace_back(std::make_unique<numbers>());
    chain.emplace_back([&from, &to, p = *prime] { filter(from, to, p); });
  }
  for (weft::fiber& each : chain) each.join();
  return primes;
}

}  // namespace

int main(int argc, char** argv) {
  const int limit = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const std::vector<int> primes = weft::run(primes_below, limit);
  std::printf("%zu primes below %d", primes.size(), limit);
  if (!primes.empty()) std::printf(", the last one is %d", primes.back());
  std::printf("\n");
}
