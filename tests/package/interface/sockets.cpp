// io.hpp, net.hpp
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <span>
#include <string>
#include <system_error>
#include <weft/fiber.hpp>
#include <weft/io.hpp>
#include <weft/net.hpp>
#include <weft/runtime.hpp>

#include "check.hpp"

namespace {
using namespace std::chrono_literals;
namespace io = weft::io;
namespace net = weft::net;

void streams_of_bytes() {
  std::error_code error = std::make_error_code(std::errc::io_error);
  int ends[2];
  CHECK(io::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  std::array<char, 64> room{};
  weft::fiber answers([&] {
    std::array<char, 64> got{};
    CHECK(io::read(ends[1], got.data(), got.size()) == 4);
    CHECK(io::write(ends[1], got.data(), 4) == 4);
  });
  CHECK(io::write(ends[0], "ping", 4) == 4);
  CHECK(io::read(ends[0], room.data(), room.size()) == 4 &&
        std::memcmp(room.data(), "ping", 4) == 0);
  answers.join();
  CHECK(io::write(ends[0], "ab", 2, error) == 2 && !error);
  CHECK(io::read(ends[1], room.data(), 64, error) == 2 && !error);
  iovec parts[2] = {{room.data(), 1}, {room.data() + 1, 9}};
  CHECK(io::writev(ends[0], parts, 2) == 10);
  CHECK(io::readv(ends[1], parts, 2) == 10);
  CHECK(io::writev(ends[0], parts, 2, error) == 10 && io::readv(ends[1], parts, 2, error) == 10);
  CHECK(io::send(ends[0], "abc", 3, 0) == 3 && io::recv(ends[1], room.data(), 64, 0) == 3);
  CHECK(io::send(ends[0], "abc", 3, 0, error) == 3);
  CHECK(io::recv(ends[1], room.data(), 64, 0, error) == 3);
  CHECK(io::recv(ends[1], room.data(), 64, MSG_DONTWAIT) == -1 && errno == EAGAIN);
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  CHECK(io::sendmsg(ends[0], &message, 0) == 10 && io::recvmsg(ends[1], &message, 0) == 10);
  CHECK(io::sendmsg(ends[0], &message, 0, error) == 10);
  CHECK(io::recvmsg(ends[1], &message, 0, error) == 10);
  pollfd watched{ends[1], POLLIN, 0};
  CHECK(io::poll(&watched, 1, 0) == 0 && io::poll(&watched, 1, 1, error) == 0);
  CHECK(!io::wait_readable(ends[1], 1ms) && errno == ETIMEDOUT);
  CHECK(!io::wait_readable(ends[1], std::chrono::steady_clock::now(), error));
  CHECK(error == std::errc::timed_out);
  CHECK(io::wait_writable(ends[1]) && io::wait_writable(ends[1], io::never, error));
  weft::fiber sends([&] { io::write(ends[0], "x", 1); });
  CHECK(io::wait_readable(ends[1]));
  CHECK(io::poll(&watched, 1, -1) == 1 && watched.revents == POLLIN);
  CHECK(io::close(ends[0]) == 0 && io::close(ends[1], error) == 0 && !error);
  CHECK(io::close(ends[1]) == -1 && errno == EBADF);
  CHECK(io::read(ends[1], room.data(), 1, error) == -1 && error == std::errc::bad_file_descriptor);

  CHECK(io::pipe(ends) == 0);
  CHECK(io::close(ends[0]) == 0 && io::close(ends[1]) == 0);
  CHECK(io::pipe(ends, O_CLOEXEC, error) == 0);
  CHECK(io::close(ends[0]) == 0 && io::close(ends[1]) == 0);
  CHECK(::pipe(ends) == 0);
  io::adopt(ends[0]);
  io::adopt(ends[1], error);
  weft::fiber later([&] { io::write(ends[1], "x", 1); });
  CHECK(io::read(ends[0], room.data(), 1) == 1);
  later.join();
  CHECK(io::close(ends[0]) == 0 && io::close(ends[1]) == 0);
}

void files() {
  std::error_code error;
  char name[] = "/tmp/weft_interface_XXXXXX";
  const int file = ::mkstemp(name);
  ::unlink(name);
  char room[8];
  CHECK(io::pwrite(file, "abcdef", 6, 0) == 6 && io::pwrite(file, "X", 1, 1, error) == 1);
  CHECK(io::pread(file, room, 3, 0) == 3 && std::memcmp(room, "aXc", 3) == 0);
  CHECK(io::pread(file, room, 8, 3, error) == 3 && !error);
  CHECK(io::close(file) == 0);
}

void addresses() {
  std::error_code error;
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const address = reinterpret_cast<sockaddr*>(&here);
  socklen_t size = sizeof here;
  const int listener = io::socket(AF_INET, SOCK_STREAM, 0, error);
  CHECK(::bind(listener, address, size) == 0 && ::listen(listener, 4) == 0);
  CHECK(::getsockname(listener, address, &size) == 0);
  for (int round = 0; round < 2; ++round) {
    weft::fiber connects([&] {
      const int to = io::socket(AF_INET, SOCK_STREAM, 0);
      CHECK((round == 0 ? io::connect(to, address, size) : io::connect(to, address, size, error)) ==
            0);
      io::close(to);
    });
    sockaddr_in peer{};
    socklen_t peer_size = sizeof peer;
    auto* const from = reinterpret_cast<sockaddr*>(&peer);
    const int got = round == 0 ? io::accept4(listener, from, &peer_size, SOCK_CLOEXEC)
                               : io::accept4(listener, nullptr, nullptr, 0, error);
    CHECK(got >= 0);
    connects.join();
    io::close(got);
  }
  io::close(listener);

  const int a = io::socket(AF_INET, SOCK_DGRAM, 0);
  const int b = io::socket(AF_INET, SOCK_DGRAM, 0);
  here.sin_port = 0;
  CHECK(::bind(b, address, size) == 0 && ::getsockname(b, address, &size) == 0);
  char room[8];
  sockaddr_in peer{};
  socklen_t peer_size = sizeof peer;
  auto* const from = reinterpret_cast<sockaddr*>(&peer);
  CHECK(io::sendto(a, "abc", 3, 0, address, size) == 3);
  CHECK(io::recvfrom(b, room, 8, 0, from, &peer_size) == 3);
  CHECK(io::sendto(a, "abcd", 4, 0, address, size, error) == 4);
  CHECK(io::recvfrom(b, room, 8, 0, nullptr, nullptr, error) == 4);
  io::close(a);
  io::close(b);
}
}  // namespace

void posix() {
  const auto all = [] {
    streams_of_bytes();
    files();
    addresses();
  };
  all();
  weft::run(all);
}

void streams() {
  const auto echo = [] {
    std::error_code error;
    net::tcp_listener listener = net::tcp_listener::bind("127.0.0.1:0");
    const std::string to = listener.local_address();
    weft::fiber serves([&] {
      for (int i = 0; i < 2; ++i) {
        net::tcp_stream peer = i == 0 ? listener.accept() : listener.accept(error);
        std::array<std::byte, 64> room;
        while (const std::size_t n = peer.read_some(room)) peer.write_all(std::span(room).first(n));
        peer.shutdown_write();
      }
    });
    for (int i = 0; i < 2; ++i) {
      net::tcp_stream stream = i == 0 ? net::tcp_stream::connect(to)
                                      : net::tcp_stream::connect(to, {.nodelay = false}, error);
      CHECK(stream.native_handle() >= 0 && stream.is_open());
      stream.write_all(std::as_bytes(std::span("ping", 4)));
      CHECK(stream.write_all(std::as_bytes(std::span("pong", 4)), error) == 4 && !error);
      stream.shutdown_write();
      std::array<std::byte, 64> room;
      std::size_t got = 0;
      while (const std::size_t n = stream.read_some(std::span(room).subspan(got))) got += n;
      CHECK(got == 8 && std::memcmp(room.data(), "pingpong", 8) == 0);
      CHECK(stream.read_some(room, error) == 0 && !error);
      net::tcp_stream moved = std::move(stream);
      CHECK(!stream.is_open() && moved.is_open());
      moved.close();
    }
    serves.join();
    CHECK(listener.native_handle() >= 0 && listener.port() != 0);
    listener.close();
    CHECK_THROWS(std::system_error, net::tcp_stream::connect(to));
    net::tcp_stream::connect(to, error);
    CHECK(error == std::errc::connection_refused);
    CHECK_THROWS(std::system_error, net::tcp_listener::bind("127.0.0.1:http"));
  };
  echo();
  weft::run(echo);
}
