#pragma once
#include "chaos.hpp"
#include "support/process.hpp"

// For tests that ask for what chaos mode takes away, or for more than it allows; each says why:
//   if (test::chaotic()) GTEST_SKIP() << "chaos mode: ...";
// `grep -rn chaotic tests` lists them.
namespace weft::test {
inline bool chaotic() {
  return detail::chaos::on();
}
// How often a test does something that differs from time to time: a tenth of it where one time
// takes many times as long, in an emulator and under chaos mode, which has twenty seeds.
inline int times(int plain) {
  return chaotic() || emulated() ? (plain + 9) / 10 : plain;
}
}  // namespace weft::test
