#pragma once
#include <sys/socket.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <weft/net.hpp>

#include "support/fibers.hpp"

namespace weft::test {
inline std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline net::tcp_listener listen_anywhere(const net::listen_options& options = {}) {
  return net::tcp_listener::bind("127.0.0.1:0", options);
}

struct stream_pair {
  net::tcp_stream near, far;  // connected to each other; far is the accepted one
};

inline stream_pair connected(net::tcp_listener& listener) {
  auto near = net::tcp_stream::connect(listener.local_address());
  return {std::move(near), listener.accept()};
}

inline stream_pair connected() {
  auto listener = listen_anywhere();
  return connected(listener);
}

// Reads until the peer ends its side.
inline std::string read_to_end(net::tcp_stream& from) {
  std::string text;
  std::byte buffer[100];
  while (const std::size_t n = from.read_some(buffer)) {
    text.append(reinterpret_cast<const char*>(buffer), n);
  }
  return text;
}

inline int get_option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}
}  // namespace weft::test
