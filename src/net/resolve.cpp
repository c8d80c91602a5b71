#include "net/resolve.hpp"

#include <netdb.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>
#include <weft/blocking.hpp>
#include <weft/deadline.hpp>
#include <weft/fiber.hpp>
#include <weft/io.hpp>
#include <weft/net.hpp>

#include "park/park.hpp"

namespace weft::detail {
namespace {
class resolver_errors : public std::error_category {
 public:
  const char* name() const noexcept override { return "weft.resolver"; }
  std::string message(int value) const override { return ::gai_strerror(value); }
  std::error_condition default_error_condition(int value) const noexcept override {
    if (value == EAI_AGAIN) return std::errc::resource_unavailable_try_again;
    return {value, *this};
  }
};

// Shared by who asked and the fiber that looks up, because the former may give up first.
struct look_up {
  std::string host;
  std::uint16_t port;
  std::error_code error;
  std::vector<socket_address> found;
};

std::error_code code_of(int result, int system_error) noexcept {
  if (result == 0) return {};
  if (result == EAI_SYSTEM) return system_code(system_error);
  if (result == EAI_MEMORY) return system_code(ENOMEM);
  return {result, net::resolver_category()};
}

void ask_resolver(look_up& state) noexcept try {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int result = ::getaddrinfo(state.host.c_str(), nullptr, &hints, &list);
  state.error = code_of(result, errno);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  for (const addrinfo* each = list; each; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    socket_address address{};
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
    set_port(address, state.port);
    state.found.push_back(address);
  }
} catch (const std::bad_alloc&) {
  state.error = system_code(ENOMEM);
}

// getaddrinfo needs more stack than a small fiber has, and cannot be interrupted. So it runs on a
// fiber of its own, which is left to itself when the caller is cancelled or out of time.
constexpr std::size_t resolver_stack = 1 << 20;

void look_up_on_fiber(const std::shared_ptr<look_up>& state) {
  fiber asking({.name = "weft name look-up", .stack_size = resolver_stack},
               [state] { blocking([&] { ask_resolver(*state); }); });
  try {
    asking.join();
  } catch (...) {
    asking.detach();
    throw;
  }
}

std::vector<socket_address> resolve_name(const host_port& from, failure& failed) {
  const auto state = std::make_shared<look_up>(look_up{std::string(from.host), from.port, {}, {}});
  try {
    if (on_fiber()) {
      look_up_on_fiber(state);
    } else {
      ask_resolver(*state);
    }
    failed.code = state->error;
    return std::move(state->found);
  } catch (const operation_canceled&) {
    failed.code = system_code(ECANCELED);
  } catch (const std::system_error& error) {  // deadline_exceeded, or no further fiber may exist
    failed.code = error.code();
  }
  return {};
}

std::vector<socket_address> any_host(std::uint16_t port, address_use use) {
  const bool listen = use == address_use::to_listen;
  const auto four = ipv4_address(listen ? INADDR_ANY : INADDR_LOOPBACK, port);
  const auto six = ipv6_address(listen ? &in6addr_any : &in6addr_loopback, 0, port);
  // Listening on IPv6's takes IPv4 connections too, if the machine has IPv6 at all.
  if (listen) return {six, four};
  return {four, six};
}
}  // namespace

std::vector<socket_address> resolve(std::string_view text, address_use use, failure& failed) {
  host_port from;
  failed.why = parse_host_port(text, from);
  if (failed.why) {
    failed.code = std::make_error_code(std::errc::invalid_argument);
    return {};
  }
  socket_address numeric;
  if (parse_numeric(from, numeric)) return {numeric};
  if (from.host.empty()) return any_host(from.port, use);
  return resolve_name(from, failed);
}
}  // namespace weft::detail

namespace weft::net {
const std::error_category& resolver_category() noexcept {
  static const weft::detail::resolver_errors category;
  return category;
}
}  // namespace weft::net
