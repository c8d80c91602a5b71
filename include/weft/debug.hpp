#pragma once

namespace weft {
/// Writes a line for every fiber of the process to the file descriptor: id, name, state, what it
/// waits on, where it was spawned. Takes no lock and allocates nothing; fibers go on meanwhile, so
/// lines may be some nanoseconds apart. Any thread.
/// @code
/// weft::dump(STDERR_FILENO);
/// @endcode
void dump(int fd) noexcept;
}  // namespace weft
