#include <netinet/in.h>
#include <netinet/tcp.h>

#include <weft/io.hpp>
#include <weft/net.hpp>

#include "net/failure.hpp"
#include "net/resolve.hpp"
#include "net/socket.hpp"

namespace weft::net {
namespace {
using namespace weft::detail;

int prepare(int fd, const stream_options& options) noexcept {
  if (options.nodelay && set_flag(fd, IPPROTO_TCP, TCP_NODELAY, true) != 0) return -1;
  if (options.keep_alive && set_flag(fd, SOL_SOCKET, SO_KEEPALIVE, true) != 0) return -1;
  return 0;
}

const char* advice(int error) noexcept {
  if (error != EADDRNOTAVAIL && error != EAGAIN) return nullptr;
  return "no port is left for this end: widen the sysctl net.ipv4.ip_local_port_range";
}

int connect_to(const socket_address& address, const stream_options& options,
               failure& failed) noexcept {
  const int fd = io::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && prepare(fd, options) == 0 && io::connect(fd, address.get(), address.size) == 0) {
    failed = {};
    return fd;
  }
  failed = {system_code(errno), advice(errno)};
  if (fd >= 0) io::close(fd);
  return -1;
}

int connect_to_any(std::string_view host_port, const stream_options& options, failure& failed) {
  for (const socket_address& each : resolve(host_port, address_use::to_connect, failed)) {
    const int fd = connect_to(each, options, failed);
    if (fd >= 0) return fd;
    if (failed.code == system_code(ECANCELED) || means_deadline(failed.code)) break;
  }
  return -1;
}
}  // namespace

tcp_stream tcp_stream::connect(std::string_view host_port, const options& how) {
  failure failed;
  const int fd = connect_to_any(host_port, how, failed);
  if (fd < 0) throw_failure("connect to " + quoted(host_port), failed);
  return tcp_stream(fd);
}

tcp_stream tcp_stream::connect(std::string_view host_port, const options& how,
                               std::error_code& error) noexcept {
  return report_into(
      error, [&](failure& failed) { return tcp_stream(connect_to_any(host_port, how, failed)); });
}

tcp_stream tcp_stream::connect(std::string_view host_port, std::error_code& error) noexcept {
  return connect(host_port, {}, error);
}
}  // namespace weft::net
