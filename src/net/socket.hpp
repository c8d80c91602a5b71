#pragma once
#include <string>
#include <system_error>

#include "net/address.hpp"

// What stream and listener have in common. The ints are POSIX's: -1 and errno.
namespace weft::detail {
enum class socket_end { local, peer };
int get_address(int fd, socket_end, socket_address& out) noexcept;
// Its text; empty, with the code, if there is none.
std::string address_text(int fd, socket_end, std::error_code&);
// The same, throwing.
std::string address_text(int fd, socket_end);
// Throws what errno says about an operation on a socket, which the text names by its address.
[[noreturn, gnu::cold]] void throw_errno(const char* attempted, int fd, socket_end);

int set_flag(int fd, int level, int name, bool on) noexcept;
// Makes a stream socket that comes from elsewhere weft's own.
int take_over(int fd) noexcept;
}  // namespace weft::detail
