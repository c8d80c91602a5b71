#pragma once

namespace weft::detail {
// errno of the thread we are on now. Out of line and opaque: glibc's accessor is const, so a
// compiler may use the address it gave before a park.
int get_errno() noexcept;
void set_errno(int value) noexcept;
}  // namespace weft::detail
