#include "io/errno.hpp"

#include <cerrno>

namespace weft::detail {
int* errno_address() noexcept;

[[gnu::noipa]] int* errno_address() noexcept {
  return &errno;
}
[[gnu::noipa]] int get_errno() noexcept {
  return errno;
}
[[gnu::noipa]] void set_errno(int value) noexcept {
  errno = value;
}
}  // namespace weft::detail
