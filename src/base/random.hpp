#pragma once
#include <cstdint>

namespace weft::detail {
// xorshift64*: chooses a victim to steal from. Not for secrets. One owner.
class random {
 public:
  explicit random(std::uint64_t seed) noexcept : state_(seed | 1) {}
  std::uint32_t below(std::uint32_t bound) noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    const std::uint64_t word = (state_ * 0x2545F4914F6CDD1DULL) >> 32;
    return static_cast<std::uint32_t>((word * bound) >> 32);
  }

 private:
  std::uint64_t state_;
};
}  // namespace weft::detail
