#pragma once

namespace weft::detail {
// Prints "weft: <line>" and aborts. For broken invariants and for misuse that the standard calls
// undefined: there is no state to return to. Allocates nothing; any thread, any stack.
[[noreturn, gnu::format(printf, 1, 2), gnu::cold]] void fatal(const char* format, ...) noexcept;

// From now on fatal() has `dump` tell what every fiber is doing, after its line. Any thread.
void dump_when_fatal(void (*dump)(int fd) noexcept) noexcept;

// The same line without the end of the process.
[[gnu::format(printf, 1, 2), gnu::cold]] void report(const char* format, ...) noexcept;

// Throws std::system_error(error, std::generic_category(), text). Out of line, so that no caller's
// fast path carries the string building.
[[noreturn, gnu::format(printf, 2, 3), gnu::cold]] void throw_system(int error, const char* format,
                                                                     ...);
}  // namespace weft::detail
