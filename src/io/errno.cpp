#include "io/errno.hpp"

#include <cerrno>

namespace weft::detail {
// Opaque: not inlined here, and compiled without link-time optimisation (CMakeLists.txt).
int* errno_address() noexcept;

[[gnu::noinline]] int* errno_address() noexcept {
  return &errno;
}
[[gnu::noinline]] int get_errno() noexcept {
  return errno;
}
[[gnu::noinline]] void set_errno(int value) noexcept {
  errno = value;
}
}  // namespace weft::detail
