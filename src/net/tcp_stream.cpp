#include <netinet/in.h>
#include <netinet/tcp.h>

#include <weft/io.hpp>
#include <weft/net.hpp>

#include "base/syscount.hpp"
#include "net/failure.hpp"
#include "net/socket.hpp"

namespace weft::net {
namespace {
using namespace weft::detail;

// The kernel makes an empty read of an idle stream wait. Ours does not.
ssize_t receive(int fd, std::span<std::byte> buffer) noexcept {
  return buffer.empty() ? 0 : io::recv(fd, buffer.data(), buffer.size(), 0);
}

ssize_t send(int fd, std::span<const std::byte> data) noexcept {
  return data.empty() ? 0 : io::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
}

// False: an error, in errno; `done` bytes went before it.
bool receive_all(int fd, std::span<std::byte> buffer, std::size_t& done) noexcept {
  for (done = 0; done < buffer.size();) {
    const ssize_t n = receive(fd, buffer.subspan(done));
    if (n <= 0) return n == 0;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

bool send_all(int fd, std::span<const std::byte> data, std::size_t& done) noexcept {
  for (done = 0; done < data.size();) {
    const ssize_t n = send(fd, data.subspan(done));
    if (n < 0) [[unlikely]]
      return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

int shut_down(int fd, int side) noexcept {
  count_syscall(sys::other);
  return ::shutdown(fd, side);
}

std::size_t count_or_code(ssize_t n, std::error_code& error) noexcept {
  return set_code(error, n) < 0 ? 0 : static_cast<std::size_t>(n);
}
}  // namespace

tcp_stream& tcp_stream::operator=(tcp_stream&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

tcp_stream tcp_stream::adopt(int fd) {
  if (take_over(fd) != 0) throw_errno("adopt", fd, socket_end::local);
  return tcp_stream(fd);
}

tcp_stream tcp_stream::adopt(int fd, std::error_code& error) noexcept {
  const bool done = set_code(error, take_over(fd)) == 0;
  return tcp_stream(done ? fd : -1);
}

std::size_t tcp_stream::read_some(std::span<std::byte> buffer) {
  const ssize_t n = receive(fd_, buffer);
  if (n < 0) [[unlikely]]
    throw_errno("read from", fd_, socket_end::peer);
  return static_cast<std::size_t>(n);
}

std::size_t tcp_stream::read_some(std::span<std::byte> buffer, std::error_code& error) noexcept {
  return count_or_code(receive(fd_, buffer), error);
}

std::size_t tcp_stream::read_all(std::span<std::byte> buffer) {
  std::size_t done;
  if (!receive_all(fd_, buffer, done)) throw_errno("read from", fd_, socket_end::peer);
  return done;
}

std::size_t tcp_stream::read_all(std::span<std::byte> buffer, std::error_code& error) noexcept {
  std::size_t done;
  set_code(error, receive_all(fd_, buffer, done) ? 0 : -1);
  return done;
}

std::size_t tcp_stream::write_some(std::span<const std::byte> data) {
  const ssize_t n = send(fd_, data);
  if (n < 0) [[unlikely]]
    throw_errno("write to", fd_, socket_end::peer);
  return static_cast<std::size_t>(n);
}

std::size_t tcp_stream::write_some(std::span<const std::byte> data,
                                   std::error_code& error) noexcept {
  return count_or_code(send(fd_, data), error);
}

void tcp_stream::write_all(std::span<const std::byte> data) {
  std::size_t done;
  if (!send_all(fd_, data, done)) [[unlikely]]
    throw_errno("write to", fd_, socket_end::peer);
}

std::size_t tcp_stream::write_all(std::span<const std::byte> data,
                                  std::error_code& error) noexcept {
  std::size_t done;
  set_code(error, send_all(fd_, data, done) ? 0 : -1);
  return done;
}

void tcp_stream::shutdown_write() {
  if (shut_down(fd_, SHUT_WR) != 0) throw_errno("end writing to", fd_, socket_end::peer);
}

void tcp_stream::shutdown_write(std::error_code& error) noexcept {
  set_code(error, shut_down(fd_, SHUT_WR));
}

void tcp_stream::shutdown_read() {
  if (shut_down(fd_, SHUT_RD) != 0) throw_errno("end reading from", fd_, socket_end::peer);
}

void tcp_stream::shutdown_read(std::error_code& error) noexcept {
  set_code(error, shut_down(fd_, SHUT_RD));
}

void tcp_stream::set_nodelay(bool on) {
  if (set_flag(fd_, IPPROTO_TCP, TCP_NODELAY, on) != 0) {
    throw_errno("set TCP_NODELAY of", fd_, socket_end::local);
  }
}

void tcp_stream::set_nodelay(bool on, std::error_code& error) noexcept {
  set_code(error, set_flag(fd_, IPPROTO_TCP, TCP_NODELAY, on));
}

void tcp_stream::set_keep_alive(bool on) {
  if (set_flag(fd_, SOL_SOCKET, SO_KEEPALIVE, on) != 0) {
    throw_errno("set SO_KEEPALIVE of", fd_, socket_end::local);
  }
}

void tcp_stream::set_keep_alive(bool on, std::error_code& error) noexcept {
  set_code(error, set_flag(fd_, SOL_SOCKET, SO_KEEPALIVE, on));
}

std::string tcp_stream::local_address() const {
  return address_text(fd_, socket_end::local);
}

std::string tcp_stream::local_address(std::error_code& error) const {
  return address_text(fd_, socket_end::local, error);
}

std::string tcp_stream::peer_address() const {
  return address_text(fd_, socket_end::peer);
}

std::string tcp_stream::peer_address(std::error_code& error) const {
  return address_text(fd_, socket_end::peer, error);
}

void tcp_stream::close() noexcept {
  if (is_open()) io::close(release());
}
}  // namespace weft::net
