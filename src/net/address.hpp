#pragma once
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

// Socket addresses and their text. No look-ups, no fibers.
namespace weft::detail {
struct socket_address {
  sockaddr_storage storage;
  socklen_t size;

  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const noexcept { return storage.ss_family; }
};

struct host_port {
  std::string_view host;  // without brackets; empty: none was given
  std::uint16_t port = 0;
};

// Null when the text was understood, else what is wrong with it.
const char* parse_host_port(std::string_view text, host_port& out) noexcept;

// Takes "127.0.0.1", "::1" and "fe80::1%eth0". False: the host is a name.
bool parse_numeric(const host_port&, socket_address& out) noexcept;

socket_address ipv4_address(std::uint32_t address, std::uint16_t port) noexcept;
socket_address ipv6_address(const void* address, std::uint32_t scope, std::uint16_t port) noexcept;
void set_port(socket_address&, std::uint16_t port) noexcept;
// 0 for what is neither IPv4 nor IPv6.
std::uint16_t port_of(const socket_address&) noexcept;

// "127.0.0.1:80", "[::1]:80"; of other families "address family 1".
std::string to_text(const socket_address&);
}  // namespace weft::detail
