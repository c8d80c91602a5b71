#pragma once
#include <cstddef>

namespace weft::detail {
// False: an error, which errno tells, or a reader that does not read: of a descriptor that does not
// block it is waited for, a second at most each time. Signal-safe.
bool write_all(int fd, const char* from, std::size_t size) noexcept;
}  // namespace weft::detail
