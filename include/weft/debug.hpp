#pragma once

namespace weft {
/// How much a dump writes.
enum class dump_detail {
  grouped,     ///< fibers that do the same are one entry: their number, eight of them, the stack
  every_fiber  ///< each fiber by itself, with its stack
};

/// Writes to the file descriptor what every fiber of the process is doing: id, name, state, what it
/// waits on and for about how long, where it was spawned, its stack. Fibers with equal states,
/// spawn sites and stacks are grouped. Then cycles of fibers that join one another; and if nothing
/// that the library knows of can wake any fiber, it says so (a thread outside may still).
///
/// The fibers go on meanwhile: each entry is true of one moment, entries of different ones. A fiber
/// that is computing is interrupted by SIGURG for its stack, unless the program handles that signal
/// itself; one blocked in the kernel is not. "For about": to within 10 ms.
///
/// Allocates nothing and waits for no lock, so it may be called when everything hangs; but writes
/// block as the descriptor does. Takes about a microsecond a fiber, and half a second at most for
/// threads that do not answer. Any thread or fiber. With WEFT_DUMP_SIGNAL=SIGUSR2 in the
/// environment (any signal, by name or number) when the first runtime starts, `kill -USR2 PID`
/// writes the same to stderr.
/// @code
/// weft::dump(STDERR_FILENO);
/// @endcode
void dump(int fd, dump_detail how) noexcept;
/// dump(fd, dump_detail::grouped)
void dump(int fd) noexcept;
}  // namespace weft
