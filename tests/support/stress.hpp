#pragma once
#include <chrono>
#include <cstdlib>
#include <random>

#include "support/fibers.hpp"
#include "support/process.hpp"

namespace weft::test {
// How long a stress test goes on: WEFT_STRESS_SECONDS, or 1. Its verdict does not depend on how far
// it gets.
class budget {
 public:
  budget() {
    const char* given = std::getenv("WEFT_STRESS_SECONDS");
    const std::chrono::duration<double> length(given ? std::strtod(given, nullptr) : 1.0);
    end_ = std::chrono::steady_clock::now() +
           std::chrono::duration_cast<std::chrono::steady_clock::duration>(length);
  }
  bool left() const { return std::chrono::steady_clock::now() < end_; }

 private:
  std::chrono::steady_clock::time_point end_;
};

// How much of something a test does: the environment's number, or its own, of which an emulator
// gets through a twentieth in reasonable time.
inline std::uint64_t amount(const char* variable, std::uint64_t otherwise) {
  const char* given = std::getenv(variable);
  if (given) return std::strtoull(given, nullptr, 0);
  return emulated() ? otherwise / 20 : otherwise;
}

// A source of choices. Each fiber or thread has its own, made from its parent's.
class choices {
 public:
  explicit choices(std::uint64_t from) : random_(from) {}
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  bool one_in(unsigned n) { return below(n) == 0; }
  choices split() { return choices(random_()); }

 private:
  std::mt19937_64 random_;
};
}  // namespace weft::test
