#pragma once
#include "base/sanitizer.hpp"

// For tests that ask for what a sanitizer does otherwise; each says why:
//   if (test::sanitized) GTEST_SKIP() << "...";
namespace weft::test {
inline constexpr bool sanitized = detail::address_sanitizer || detail::thread_sanitizer;
inline constexpr bool race_checked = detail::thread_sanitizer;
}  // namespace weft::test
