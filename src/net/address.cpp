#include "net/address.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <charconv>
#include <cstddef>
#include <cstring>

namespace weft::detail {
namespace {
bool parse_port(std::string_view text, std::uint16_t& port) noexcept {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && stop == end;
}

bool parse_scope(const char* zone, std::uint32_t& scope) noexcept {
  const char* const end = zone + std::strlen(zone);
  const auto [stop, error] = std::from_chars(zone, end, scope);
  if (error == std::errc{} && stop == end) return true;
  scope = ::if_nametoindex(zone);
  return scope != 0;
}
}  // namespace

const char* parse_host_port(std::string_view text, host_port& out) noexcept {
  const std::size_t colon = text.rfind(':');
  if (text.find('\0') != std::string_view::npos) return "the address contains a zero byte";
  if (colon == std::string_view::npos || text.ends_with(']')) {
    return "the port is missing: write host:port";
  }
  out.host = text.substr(0, colon);
  if (!parse_port(text.substr(colon + 1), out.port)) {
    return "the port is not a decimal number from 0 to 65535";
  }
  if (out.host.starts_with('[')) {
    if (!out.host.ends_with(']')) return "the bracket is not closed: write [address]:port";
    out.host = out.host.substr(1, out.host.size() - 2);
    socket_address numeric;
    if (!parse_numeric(out, numeric) || numeric.family() != AF_INET6) {
      return "there is no IPv6 address in the brackets";
    }
  } else if (out.host.find(':') != std::string_view::npos) {
    return "an IPv6 address needs brackets: write [address]:port";
  }
  return nullptr;
}

bool parse_numeric(const host_port& from, socket_address& out) noexcept {
  char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];
  if (from.host.empty() || from.host.size() >= sizeof text) return false;
  std::memcpy(text, from.host.data(), from.host.size());
  text[from.host.size()] = '\0';

  in_addr four;
  if (::inet_pton(AF_INET, text, &four) == 1) {
    out = ipv4_address(ntohl(four.s_addr), from.port);
    return true;
  }
  std::uint32_t scope = 0;
  if (char* percent = std::strchr(text, '%')) {
    *percent = '\0';
    if (!parse_scope(percent + 1, scope)) return false;
  }
  in6_addr six;
  if (::inet_pton(AF_INET6, text, &six) != 1) return false;
  out = ipv6_address(&six, scope, from.port);
  return true;
}

socket_address ipv4_address(std::uint32_t address, std::uint16_t port) noexcept {
  socket_address out{};
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(address);
  std::memcpy(&out.storage, &in, sizeof in);
  out.size = sizeof in;
  return out;
}

socket_address ipv6_address(const void* address, std::uint32_t scope, std::uint16_t port) noexcept {
  socket_address out{};
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  std::memcpy(&in.sin6_addr, address, sizeof in.sin6_addr);
  in.sin6_scope_id = scope;
  std::memcpy(&out.storage, &in, sizeof in);
  out.size = sizeof in;
  return out;
}

// The port lies at the same place in both families.
static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));

void set_port(socket_address& address, std::uint16_t port) noexcept {
  const in_port_t wire = htons(port);
  std::memcpy(reinterpret_cast<char*>(&address.storage) + offsetof(sockaddr_in, sin_port), &wire,
              sizeof wire);
}

std::uint16_t port_of(const socket_address& address) noexcept {
  if (address.family() != AF_INET && address.family() != AF_INET6) return 0;
  in_port_t wire;
  std::memcpy(&wire,
              reinterpret_cast<const char*>(&address.storage) + offsetof(sockaddr_in, sin_port),
              sizeof wire);
  return ntohs(wire);
}

std::string to_text(const socket_address& address) {
  char text[INET6_ADDRSTRLEN];
  if (address.family() == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &address.storage, sizeof in);
    ::inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(port_of(address));
  }
  if (address.family() == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &address.storage, sizeof in);
    ::inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
    const std::string zone = in.sin6_scope_id ? "%" + std::to_string(in.sin6_scope_id) : "";
    std::string written = "[";
    written.append(text).append(zone).append("]:");
    return written.append(std::to_string(port_of(address)));
  }
  return "address family " + std::to_string(address.family());
}
}  // namespace weft::detail
