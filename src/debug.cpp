#include <weft/debug.hpp>

#include "base/errno.hpp"
#include "context/context.hpp"
#include "debug/dump.hpp"

// gdb finds the script here, in every program that links the library (docs/HACKING.md). Format: a
// byte 4 for "Python text", a name of one line, the text, a zero.
asm(R"(
        .pushsection .debug_gdb_scripts, "MS", @progbits, 1
        .byte   4
        .ascii  "weft-gdb.py\n"
        .incbin ")" WEFT_GDB_SCRIPT R"("
        .byte   0
        .popsection
)");

// The script reads it, whatever the backend. Kept though no code does.
namespace weft::detail {
[[gnu::used]] extern constinit const frame_offsets gdb_suspended_frame = suspended_frame;
}

namespace weft {
void dump(int fd, dump_detail how) noexcept {
  const int before = detail::get_errno();
  detail::dump_fibers(fd, nullptr, how);
  detail::set_errno(before);
}

void dump(int fd) noexcept {
  dump(fd, dump_detail::grouped);
}
}  // namespace weft
