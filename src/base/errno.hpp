#pragma once
#include <cerrno>

namespace weft::detail {
// errno of the thread we are on now. Out of line and opaque: glibc's accessor is const, so a
// compiler may use the address that it gave before a park. Even functions that cannot park come
// through here: link-time optimisation moves them into others that do.
int* errno_address() noexcept;
int get_errno() noexcept;
void set_errno(int value) noexcept;
}  // namespace weft::detail

#undef errno
#define errno (*::weft::detail::errno_address())
