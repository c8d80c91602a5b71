#include <netinet/in.h>
#include <netinet/tcp.h>

#include <weft/io.hpp>
#include <weft/net.hpp>

#include "base/syscount.hpp"
#include "net/failure.hpp"
#include "net/resolve.hpp"
#include "net/socket.hpp"

namespace weft::net {
namespace {
using namespace weft::detail;

int prepare(int fd, const socket_address& address, const listen_options& options) noexcept {
  // Linux hands TCP_NODELAY on to the connections, which saves a call on each of them.
  if (options.nodelay && set_flag(fd, IPPROTO_TCP, TCP_NODELAY, true) != 0) return -1;
  if (options.reuse_address && set_flag(fd, SOL_SOCKET, SO_REUSEADDR, true) != 0) return -1;
  if (options.reuse_port && set_flag(fd, SOL_SOCKET, SO_REUSEPORT, true) != 0) return -1;
  if (address.family() == AF_INET6 && set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, false) != 0)
    return -1;
  count_syscall(sys::other);
  if (::bind(fd, address.get(), address.size) != 0) return -1;
  count_syscall(sys::other);
  return ::listen(fd, options.backlog);
}

const char* advice(int error) noexcept {
  switch (error) {
    case EADDRINUSE:
      return "another socket has the address: close it, take another port, or set reuse_port on "
             "both";
    case EADDRNOTAVAIL:
      return "no interface of this machine has the address";
    case EACCES:
      return "ports below the sysctl net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE";
    default:
      return nullptr;
  }
}

int listen_on(const socket_address& address, const listen_options& options,
              failure& failed) noexcept {
  const int fd = io::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && prepare(fd, address, options) == 0) {
    failed = {};
    return fd;
  }
  failed = {system_code(errno), advice(errno)};
  if (fd >= 0) io::close(fd);
  return -1;
}

int listen_on_any(std::string_view host_port, const listen_options& options, failure& failed) {
  for (const socket_address& each : resolve(host_port, address_use::to_listen, failed)) {
    const int fd = listen_on(each, options, failed);
    if (fd >= 0) return fd;
  }
  return -1;
}

// What befell one connection in the backlog is told to whoever accepts next; the listener is well.
bool connection_died(int error) noexcept {
  switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
      return true;
    default:
      return false;
  }
}

int accept_one(int listener) noexcept {
  if (listener < 0) {  // closed; poll(2), which waiting may come down to, would wait for ever
    errno = EBADF;
    return -1;
  }
  int fd;
  do {
    fd = io::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  } while (fd < 0 && connection_died(errno));
  return fd;
}
}  // namespace

tcp_listener& tcp_listener::operator=(tcp_listener&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

tcp_listener tcp_listener::bind(std::string_view host_port, const options& how) {
  failure failed;
  const int fd = listen_on_any(host_port, how, failed);
  if (fd < 0) throw_failure("listen on " + quoted(host_port), failed);
  return tcp_listener(fd);
}

tcp_listener tcp_listener::bind(std::string_view host_port, const options& how,
                                std::error_code& error) noexcept {
  return report_into(
      error, [&](failure& failed) { return tcp_listener(listen_on_any(host_port, how, failed)); });
}

tcp_listener tcp_listener::bind(std::string_view host_port, std::error_code& error) noexcept {
  return bind(host_port, {}, error);
}

tcp_listener tcp_listener::adopt(int fd) {
  if (take_over(fd) != 0) throw_errno("adopt", fd, socket_end::local);
  return tcp_listener(fd);
}

tcp_listener tcp_listener::adopt(int fd, std::error_code& error) noexcept {
  const bool done = set_code(error, take_over(fd)) == 0;
  return tcp_listener(done ? fd : -1);
}

tcp_stream tcp_listener::accept() {
  const int fd = accept_one(fd_);
  if (fd < 0) [[unlikely]]
    throw_errno("accept on", fd_, socket_end::local);
  return tcp_stream(fd);
}

tcp_stream tcp_listener::accept(std::error_code& error) noexcept {
  return tcp_stream(set_code(error, accept_one(fd_)));
}

std::uint16_t tcp_listener::port() const {
  socket_address address{};
  if (get_address(fd_, socket_end::local, address) != 0) {
    throw_errno("tell the port of", fd_, socket_end::local);
  }
  return port_of(address);
}

std::uint16_t tcp_listener::port(std::error_code& error) const noexcept {
  socket_address address{};
  return set_code(error, get_address(fd_, socket_end::local, address)) == 0 ? port_of(address)
                                                                            : std::uint16_t{0};
}

std::string tcp_listener::local_address() const {
  return address_text(fd_, socket_end::local);
}

std::string tcp_listener::local_address(std::error_code& error) const {
  return address_text(fd_, socket_end::local, error);
}

void tcp_listener::close() noexcept {
  if (is_open()) io::close(release());
}
}  // namespace weft::net
