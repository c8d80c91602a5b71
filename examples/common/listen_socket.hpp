// A listening TCP socket on the loopback interface, for the servers that use the kernel directly.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace example {

inline int check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

inline void set_flag(int fd, int level, int option) {
  const int on = 1;
  check(setsockopt(fd, level, option, &on, sizeof on), "setsockopt");
}

// `type` may add SOCK_NONBLOCK. With `share_port`, several sockets may listen on one port, and the
// kernel spreads the connections over them.
inline int listen_socket(std::uint16_t port, int type, bool share_port) {
  const int fd = check(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");
  set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
  if (share_port) set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY);  // Linux hands it on to every accepted socket
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  check(listen(fd, SOMAXCONN), "listen");
  return fd;
}

inline std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  check(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), "getsockname");
  return ntohs(address.sin_port);
}

// SIGINT and SIGTERM, blocked in the calling thread and in those that it starts from now on, so
// that one thread can take them with sigwait().
inline sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

}  // namespace example
