#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

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

/// How deep the fibers of one spawn site have used their stacks.
struct stack_use_of_site {
  const char* file = nullptr;     ///< As in source_site; valid for ever. Null: see `address`.
  unsigned line = 0;              ///< 1-based; 0: not known.
  const void* address = nullptr;  ///< Where no file is known: a return address, or null.
  std::uint64_t fibers = 0;       ///< Those that have ended.
  std::size_t deepest = 0;        ///< Bytes that one of them, or one that still runs, used at most.
  std::size_t stack_size = 0;     ///< Bytes of the stack that it had.
};

/// The high-water marks of stack use by spawn site, deepest first; empty unless a runtime measures
/// (runtime_options::measure_stacks). Fibers that have not ended count with what they have used so
/// far. Any thread; O(fibers alive), each of which costs a system call. A mark is exact to 8 bytes
/// above some 1 KiB, which the fiber's own start and end need, but for a fiber that came deepest
/// only to write zeros, or to touch a large frame, on a page that no stack had used yet: that page
/// may count as a whole, or not. Sites beyond the first 2,000 are added up in one without file and
/// address.
/// @throws std::bad_alloc
/// @code
/// for (const auto& site : weft::stack_use())
///   std::printf("%s:%u %zu of %zu\n", site.file ? site.file : "?", site.line, site.deepest,
///               site.stack_size);
/// @endcode
std::vector<stack_use_of_site> stack_use();

/// The same as a table, a line for each site, for people. Allocates nothing.
void dump_stack_use(int fd) noexcept;
}  // namespace weft
