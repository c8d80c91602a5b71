#pragma once
#include "base/sanitizer.hpp"

// For tests that ask for what a sanitizer does otherwise; each says why:
//   if (test::sanitized) GTEST_SKIP() << "...";
namespace weft::test {
inline constexpr bool sanitized = detail::address_sanitizer || detail::thread_sanitizer;
// The runtime of gcc 12's AddressSanitizer is copied by fork with locks of its allocator held, if
// another thread allocates at that moment; the child's first allocation then waits for ever. Seen
// once in 600 forks beside carriers that begin. clang's takes its locks before.
#if defined(__GNUC__) && !defined(__clang__)
inline constexpr bool forked_with_locks_held = detail::address_sanitizer;
#else
inline constexpr bool forked_with_locks_held = false;
#endif
}  // namespace weft::test
