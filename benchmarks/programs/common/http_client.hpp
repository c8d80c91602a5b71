// What the HTTP load programs share: sockets to the server under test, and the answer to expect.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "program.hpp"

namespace bench {

inline constexpr std::string_view http_request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

[[noreturn]] inline void fail_errno(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(2);
}

inline int checked(int result, const char* what) {
  if (result < 0) fail_errno(what);
  return result;
}

inline sockaddr_in loopback(std::uint32_t last_octet, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl((127u << 24) | last_octet);
  return address;
}

// A socket that connects, or has begun to when `type` says SOCK_NONBLOCK, from 127.0.0.`source`.
inline int connect_from(std::uint32_t source, std::uint16_t port, int type = 0) {
  const int fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | type, 0), "socket");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const sockaddr_in from = loopback(source, 0);
  checked(bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from), "bind");
  const sockaddr_in to = loopback(1, port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0 && errno != EINPROGRESS)
    fail_errno("connect");
  return fd;
}

inline void raise_descriptor_limit(std::uint64_t needed) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = needed;
    if (limit.rlim_max < needed) limit.rlim_max = needed;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
      std::fprintf(stderr, "%llu file descriptors are needed: raise the hard limit (ulimit -Hn)\n",
                   static_cast<unsigned long long>(needed));
      std::exit(2);
    }
  }
}

inline void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0) fail_errno("send");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Asks once, and returns the whole answer: every later one is compared with it, byte for byte.
inline std::string learn_answer(std::uint16_t port) {
  const int fd = connect_from(1, port);
  send_all(fd, http_request);
  std::string answer;
  for (;;) {
    char buffer[4096];
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) fail("the server closed before it had answered");
    answer.append(buffer, static_cast<std::size_t>(n));
    const auto head = answer.find("\r\n\r\n");
    if (head == std::string::npos) continue;
    const auto length = answer.find("Content-Length: ");
    if (!answer.starts_with("HTTP/1.1 200 ") || length > head) fail("not the answer expected");
    const auto body = std::strtoull(answer.c_str() + length + 16, nullptr, 10);
    if (answer.size() < head + 4 + body) continue;
    if (answer.size() > head + 4 + body) fail("more bytes than one answer has");
    close(fd);
    return answer;
  }
}

}  // namespace bench
