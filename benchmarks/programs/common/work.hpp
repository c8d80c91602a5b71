// Work that only computes: the same amount on every system, in registers, with a result to check.
#pragma once

#include <cstdint>

namespace bench {

inline std::uint64_t spin_work(std::uint64_t steps, std::uint64_t seed) {
  std::uint64_t x = seed | 1;
  for (std::uint64_t i = 0; i < steps; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}

}  // namespace bench
