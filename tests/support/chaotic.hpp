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
// How often a test does something that differs from time to time, and less where one time takes
// many times as long: a tenth of it in an emulator, a twentieth under each of chaos mode's twenty
// seeds.
inline int times(int plain) {
  const int of = chaotic() ? 20 : emulated() ? 10 : 1;
  return (plain + of - 1) / of;
}
}  // namespace weft::test
