#include "net/socket.hpp"

#include <fcntl.h>

#include <weft/io.hpp>

#include "base/syscount.hpp"
#include "net/failure.hpp"

namespace weft::detail {
int get_address(int fd, socket_end end, socket_address& out) noexcept {
  count_syscall(sys::other);
  out.size = sizeof out.storage;
  auto* const address = reinterpret_cast<sockaddr*>(&out.storage);
  return end == socket_end::local ? ::getsockname(fd, address, &out.size)
                                  : ::getpeername(fd, address, &out.size);
}

std::string address_text(int fd, socket_end end, std::error_code& error) {
  socket_address address{};
  return set_code(error, get_address(fd, end, address)) == 0 ? to_text(address) : std::string();
}

std::string address_text(int fd, socket_end end) {
  std::error_code error;
  std::string text = address_text(fd, end, error);
  if (error)
    throw_failure(end == socket_end::local ? "tell a socket's address" : "tell a peer's address",
                  {error});
  return text;
}

void throw_errno(const char* attempted, int fd, socket_end end) {
  const std::error_code code = system_code(errno);
  throw_if_ended(code);
  std::error_code unknown;
  std::string which = address_text(fd, end, unknown);
  if (unknown) which = end == socket_end::peer ? "the peer" : "a socket";
  const std::string descriptor = fd < 0 ? "closed" : "fd " + std::to_string(fd);
  throw_failure(std::string(attempted) + ' ' + which + ", " + descriptor, {code});
}

int set_flag(int fd, int level, int name, bool on) noexcept {
  count_syscall(sys::other);
  const int value = on ? 1 : 0;
  return ::setsockopt(fd, level, name, &value, sizeof value);
}

int take_over(int fd) noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return -1;
  if (type != SOCK_STREAM) {
    errno = EPROTOTYPE;
    return -1;
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return -1;
  io::adopt(fd);
  return 0;
}
}  // namespace weft::detail
