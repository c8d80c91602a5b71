#include <cstdio>
#include <random>

#include "support/fibers.hpp"

namespace weft::test {
std::uint64_t seed() {
  const char* given = std::getenv("WEFT_SEED");
  const std::uint64_t chosen = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
  std::printf("WEFT_SEED=%llu\n", static_cast<unsigned long long>(chosen));
  std::fflush(stdout);  // known even if the test hangs
  return chosen;
}
}  // namespace weft::test
