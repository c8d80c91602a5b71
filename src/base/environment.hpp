#pragma once
#include <cstdlib>

namespace weft::detail {
// A setting from the environment, or null. Null also in a program that runs with more rights than
// whoever started it: what he writes there must neither open a file nor choose a number of threads.
inline const char* environment(const char* name) noexcept {
  return ::secure_getenv(name);
}
}  // namespace weft::detail
