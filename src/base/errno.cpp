#include "base/errno.hpp"

// Opaque: not inlined here, and compiled without link-time optimisation (CMakeLists.txt).
namespace weft::detail {
[[gnu::noinline]] int* errno_address() noexcept {
  return __errno_location();
}
[[gnu::noinline]] int get_errno() noexcept {
  return *__errno_location();
}
[[gnu::noinline]] void set_errno(int value) noexcept {
  *__errno_location() = value;
}
}  // namespace weft::detail
