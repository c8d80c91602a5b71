// What goes wrong with streams: the code, the text, and that everything is usable afterwards.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "api/net_support.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// A port that answers connections with a reset: bound, so that nobody else listens there.
class unheard_port {
 public:
  unheard_port() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~unheard_port() { ::close(fd_); }
  unheard_port(const unheard_port&) = delete;
  unheard_port& operator=(const unheard_port&) = delete;
  const std::string& address() const { return address_; }

 private:
  int fd_;
  std::string address_;
};

TEST(net_errors, connection_refused_names_the_address) {
  const unheard_port port;
  runtime rt({.workers = 1});
  rt.run([&] {
    const thrown error = thrown_by([&] { net::tcp_stream::connect(port.address()); });
    EXPECT_EQ(error.code, std::errc::connection_refused);
    EXPECT_TRUE(contains(error.text, "connect to \"" + port.address() + '"')) << error.text;
    std::error_code code;
    EXPECT_FALSE(net::tcp_stream::connect(port.address(), code).is_open());
    EXPECT_EQ(code, std::errc::connection_refused);
  });
}

TEST(net_errors, address_in_use_names_the_address_and_the_way_out) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto listener = listen_anywhere();
    const std::string taken = listener.local_address();
    const thrown error = thrown_by([&] { net::tcp_listener::bind(taken); });
    EXPECT_EQ(error.code, std::errc::address_in_use);
    EXPECT_TRUE(contains(error.text, taken)) << error.text;
    EXPECT_TRUE(contains(error.text, "reuse_port")) << error.text;
    std::error_code code;
    EXPECT_FALSE(net::tcp_listener::bind(taken, code).is_open());
    EXPECT_EQ(code, std::errc::address_in_use);
    listener.close();
    EXPECT_TRUE(net::tcp_listener::bind(taken, code).is_open()) << code.message();
    EXPECT_FALSE(code);
  });
}

TEST(net_errors, reuse_port_shares_an_address) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto one = listen_anywhere({.reuse_port = true});
    auto two = net::tcp_listener::bind(one.local_address(), {.reuse_port = true});
    EXPECT_EQ(one.port(), two.port());
  });
}

TEST(net_errors, peer_that_resets_is_an_error_and_never_a_signal) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto [near, far] = connected();
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(far.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    const std::string who = near.peer_address();
    far.close();
    std::byte buffer[10];
    const thrown error = thrown_by([&] { near.read_some(buffer); });
    EXPECT_EQ(error.code, std::errc::connection_reset);
    EXPECT_TRUE(contains(error.text, "read from")) << error.text;
    EXPECT_EQ(thrown_by([&] { near.write_all(bytes("x")); }).code, std::errc::broken_pipe);
    std::error_code code;
    EXPECT_EQ(near.write_some(bytes("x"), code), 0u);
    EXPECT_EQ(code, std::errc::broken_pipe);
    EXPECT_EQ(near.write_all(bytes("x"), code), 0u);
    EXPECT_EQ(code, std::errc::broken_pipe);
    EXPECT_EQ(near.read_some(buffer, code), 0u);
    EXPECT_FALSE(code) << "after the error has been told the stream is at its end";
  });
}

// Lets the process open no further descriptor while it lives.
class no_descriptors {
 public:
  no_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    limit_ = static_cast<rlim_t>(lowest_free);
    const rlimit none{limit_, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  no_descriptors(const no_descriptors&) = delete;
  no_descriptors& operator=(const no_descriptors&) = delete;
  std::string limit() const { return std::to_string(limit_); }

 private:
  rlimit before_{};
  rlim_t limit_ = 0;
};

TEST(net_errors, accept_without_descriptors_names_the_limit_and_loses_nothing) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto listener = listen_anywhere();
    // What is opened on first use is open now: the runtime's epoll, and the pipe through which
    // UndefinedBehaviorSanitizer looks at an error category.
    auto first = connected(listener);
    EXPECT_TRUE(thrown_by([] { net::tcp_stream().set_nodelay(true); }).code);
    auto near = net::tcp_stream::connect(listener.local_address());
    near.write_all(bytes("patience"));
    near.shutdown_write();
    {
      const no_descriptors now;
      const thrown error = thrown_by([&] { listener.accept(); });
      EXPECT_EQ(error.code, std::errc::too_many_files_open);
      EXPECT_TRUE(contains(error.text, "RLIMIT_NOFILE")) << error.text;
      EXPECT_TRUE(contains(error.text, now.limit())) << error.text;
      EXPECT_TRUE(contains(error.text, listener.local_address())) << error.text;
      std::error_code code;
      EXPECT_FALSE(listener.accept(code).is_open());
      EXPECT_EQ(code, std::errc::too_many_files_open);
      EXPECT_EQ(thrown_by([&] { net::tcp_stream::connect(listener.local_address()); }).code,
                std::errc::too_many_files_open);
      EXPECT_EQ(thrown_by([] { listen_anywhere(); }).code, std::errc::too_many_files_open);
    }
    auto far = listener.accept();
    EXPECT_EQ(read_to_end(far), "patience");
  });
}

TEST(net_errors, closed_objects_say_so) {
  runtime rt({.workers = 1});
  rt.run([] {
    net::tcp_stream stream;
    net::tcp_listener listener;
    std::byte buffer[10];
    std::error_code code;
    const thrown error = thrown_by([&] { stream.read_some(buffer); });
    EXPECT_EQ(error.code, std::errc::bad_file_descriptor);
    EXPECT_TRUE(contains(error.text, "closed")) << error.text;
    EXPECT_EQ(thrown_by([&] { listener.accept(); }).code, std::errc::bad_file_descriptor);
    EXPECT_EQ(thrown_by([&] { stream.shutdown_write(); }).code, std::errc::bad_file_descriptor);
    EXPECT_EQ(thrown_by([&] { stream.set_nodelay(true); }).code, std::errc::bad_file_descriptor);
    EXPECT_EQ(thrown_by([&] { stream.peer_address(); }).code, std::errc::bad_file_descriptor);
    EXPECT_EQ(thrown_by([&] { listener.port(); }).code, std::errc::bad_file_descriptor);
    EXPECT_EQ(listener.port(code), 0);
    EXPECT_EQ(code, std::errc::bad_file_descriptor);
    EXPECT_EQ(stream.local_address(code), "");
    EXPECT_EQ(code, std::errc::bad_file_descriptor);
    EXPECT_FALSE(net::tcp_stream::adopt(-1, code).is_open());
    EXPECT_EQ(code, std::errc::bad_file_descriptor);
    stream.close();
    listener.close();
  });
}

TEST(net_errors, close_ends_an_accept_that_waits) {
  runtime rt({.workers = 1});
  rt.run([&] {
    auto listener = listen_anywhere();
    std::error_code code;
    fiber acceptor([&] { EXPECT_FALSE(listener.accept(code).is_open()); });
    until_parked(rt, 1);
    listener.close();
    acceptor.join();
    EXPECT_EQ(code, std::errc::bad_file_descriptor);
  });
}

TEST(net_errors, datagram_sockets_are_not_adopted) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(thrown_by([&] { net::tcp_stream::adopt(fd); }).code, std::errc::wrong_protocol_type);
  ::close(fd);
}

}  // namespace
}  // namespace weft::test
