#pragma once
#include "chaos.hpp"

// For tests that ask for what chaos mode takes away, or for more than it allows; each says why:
//   if (test::chaotic()) GTEST_SKIP() << "chaos mode: ...";
// `grep -rn chaotic tests` lists them.
namespace weft::test {
inline bool chaotic() {
  return detail::chaos::on();
}
}  // namespace weft::test
