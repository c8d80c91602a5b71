#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft {
/// Writes a line for every fiber of the process to the file descriptor: id, name, state, what it
/// waits on, where it was spawned. Takes no lock and allocates nothing; fibers go on meanwhile, so
/// lines may be some nanoseconds apart. Any thread.
/// @code
/// weft::dump(STDERR_FILENO);
/// @endcode
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
