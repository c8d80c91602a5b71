#pragma once
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <string_view>
#include <weft/io.hpp>

#include "support/fibers.hpp"

// Descriptors for tests of io: made, connected, closed at the end.
namespace weft::test {
// Two descriptors made by weft, closed through it.
struct fd_pair {
  int fds[2] = {-1, -1};
  int operator[](int i) const { return fds[i]; }
  void close(int i) {
    if (fds[i] >= 0) io::close(fds[i]);
    fds[i] = -1;
  }
  fd_pair() = default;
  ~fd_pair() {
    close(0);
    close(1);
  }
  fd_pair(fd_pair&& other) noexcept : fds{other.fds[0], other.fds[1]} {
    other.fds[0] = other.fds[1] = -1;
  }
  fd_pair(const fd_pair&) = delete;
  fd_pair& operator=(const fd_pair&) = delete;
};

// [0] reads what [1] writes.
inline fd_pair make_pipe() {
  fd_pair made;
  if (io::pipe(made.fds) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  return made;
}

inline fd_pair make_socketpair(int type = SOCK_STREAM) {
  fd_pair made;
  if (io::socketpair(AF_UNIX, type, 0, made.fds) != 0) {
    throw std::system_error(errno, std::generic_category(), "socketpair");
  }
  return made;
}

// A loopback address of its own for each listener: closed connections keep their pair of addresses
// and ports for a minute, and tests make more of them than one address has ports.
inline in_addr fresh_loopback() {
  static std::atomic<std::uint32_t> next{static_cast<std::uint32_t>(::getpid()) * 7919};
  return {htonl(0x7f000001 + next.fetch_add(1) % 0xfffff0)};
}

// A TCP listener on a free port of the loopback interface.
struct tcp_port {
  int fd = -1;
  sockaddr_in address{};
  tcp_port() {
    fd = io::socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_addr = fresh_loopback();
    socklen_t size = sizeof address;
    if (fd < 0 || ::bind(fd, as_sockaddr(), size) != 0 || ::listen(fd, 1000) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::system_error(errno, std::generic_category(), "listen");
    }
  }
  ~tcp_port() { close(); }
  tcp_port(const tcp_port&) = delete;
  tcp_port& operator=(const tcp_port&) = delete;
  void close() {
    if (fd >= 0) io::close(fd);
    fd = -1;
  }
  const sockaddr* as_sockaddr() const { return reinterpret_cast<const sockaddr*>(&address); }
  // A connected socket, to be closed by the caller; -1 and errno.
  int connect() const {
    const int s = io::socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0) return -1;
    if (io::connect(s, as_sockaddr(), sizeof address) == 0) return s;
    const int error = errno;
    io::close(s);
    errno = error;
    return -1;
  }
  int accept() const { return io::accept4(fd, nullptr, nullptr, 0); }
};

// [0] is the accepted end, [1] the connecting one.
inline fd_pair make_tcp() {
  const tcp_port port;
  fd_pair made;
  made.fds[1] = port.connect();
  made.fds[0] = port.accept();
  return made;
}

// Everything up to the end of the stream; a failure adds the errno in angle
// brackets.
inline std::string read_to_end(int fd, std::size_t piece = 100) {
  std::string text;
  std::string buffer(piece, '\0');
  for (;;) {
    const ssize_t n = io::read(fd, buffer.data(), piece);
    if (n == 0) return text;
    if (n < 0) return text + '<' + std::to_string(errno) + '>';
    text.append(buffer, 0, static_cast<std::size_t>(n));
  }
}

inline ssize_t write(int fd, std::string_view text) {
  return io::write(fd, text.data(), text.size());
}
}  // namespace weft::test
