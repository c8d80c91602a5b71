// Each call of io.hpp does what its namesake does, with -1 and errno, or with
// an error code.
#include <gtest/gtest.h>

#include <cstring>
#include <system_error>

#include "support/descriptors.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// Every test here runs twice: on a fiber and on a kernel thread.
class io_calls : public testing::TestWithParam<bool> {
 protected:
  template <class F>
  void run(F&& f) {
    if (GetParam()) {
      runtime rt({.workers = 1});
      rt.run(std::forward<F>(f));
    } else {
      f();
    }
  }
};
INSTANTIATE_TEST_SUITE_P(on, io_calls, testing::Bool(), [](const auto& given) {
  return given.param ? "a_fiber" : "a_kernel_thread";
});

TEST_P(io_calls, read_and_write_of_a_pipe) {
  run([] {
    fd_pair p = make_pipe();
    EXPECT_EQ(write(p[1], "hello"), 5);
    char buffer[10] = {};
    EXPECT_EQ(io::read(p[0], buffer, 3), 3);
    EXPECT_EQ(io::read(p[0], buffer + 3, 7), 2);
    EXPECT_STREQ(buffer, "hello");
    EXPECT_EQ(io::read(p[0], buffer, 0), 0) << "nothing asked for, no wait";
    p.close(1);
    EXPECT_EQ(io::read(p[0], buffer, 10), 0);
    EXPECT_EQ(io::read(p[0], buffer, 10), 0) << "the end stays";
  });
}

TEST_P(io_calls, readv_and_writev) {
  run([] {
    for (const bool socket : {false, true}) {
      fd_pair p = socket ? make_socketpair() : make_pipe();
      char a[] = "ab", b[] = "cde";
      const iovec out[] = {{a, 2}, {b, 3}};
      EXPECT_EQ(io::writev(p[1], out, 2), 5);
      char c[5] = {}, d[5] = {};
      const iovec in[] = {{c, 4}, {d, 4}};
      EXPECT_EQ(io::readv(p[0], in, 2), 5);
      EXPECT_STREQ(c, "abcd");
      EXPECT_STREQ(d, "e");
    }
  });
}

TEST_P(io_calls, recv_and_send_on_stream_sockets) {
  run([] {
    for (const bool tcp : {false, true}) {
      fd_pair p = tcp ? make_tcp() : make_socketpair();
      ASSERT_GE(p[0], 0);
      EXPECT_EQ(io::send(p[1], "abc", 3, 0), 3);
      char buffer[8] = {};
      EXPECT_EQ(io::recv(p[0], buffer, 8, MSG_PEEK), 3);
      EXPECT_EQ(io::recv(p[0], buffer, 8, MSG_PEEK), 3) << "peeking takes nothing";
      EXPECT_EQ(io::recv(p[0], buffer, 8, 0), 3);
      EXPECT_EQ(io::recv(p[0], buffer, 8, MSG_DONTWAIT), -1);
      EXPECT_EQ(errno, EAGAIN);
      EXPECT_EQ(io::read(p[0], buffer, 0), 0) << "read(2) of nothing does not wait";
      EXPECT_EQ(write(p[0], "xy"), 2) << "both ways";
      EXPECT_EQ(io::read(p[1], buffer, 8), 2);
    }
  });
}

TEST_P(io_calls, messages) {
  run([] {
    fd_pair p = make_socketpair();
    char text[] = "abc", got[4] = {};
    iovec part{text, 3};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    EXPECT_EQ(io::sendmsg(p[1], &message, 0), 3);
    part = {got, 3};
    EXPECT_EQ(io::recvmsg(p[0], &message, 0), 3);
    EXPECT_STREQ(got, "abc");
  });
}

TEST_P(io_calls, datagrams_keep_their_bounds) {
  run([] {
    fd_pair p = make_socketpair(SOCK_DGRAM);
    EXPECT_EQ(io::send(p[1], "abc", 3, 0), 3);
    EXPECT_EQ(io::send(p[1], "defg", 4, 0), 4);
    char buffer[10];
    EXPECT_EQ(io::recv(p[0], buffer, 10, 0), 3);
    EXPECT_EQ(io::recv(p[0], buffer, 2, 0), 2) << "the rest of a datagram is lost";
    EXPECT_EQ(io::send(p[1], "h", 1, 0), 1);
    EXPECT_EQ(io::recv(p[0], buffer, 10, 0), 1);
  });
}

TEST_P(io_calls, sendto_and_recvfrom) {
  run([] {
    const int a = io::socket(AF_INET, SOCK_DGRAM, 0), b = io::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = reinterpret_cast<sockaddr*>(&to);
    socklen_t size = sizeof to;
    ASSERT_EQ(::bind(a, address, size), 0);
    ASSERT_EQ(::getsockname(a, address, &size), 0);
    EXPECT_EQ(io::sendto(b, "abc", 3, 0, address, size), 3);
    char buffer[10];
    sockaddr_in from{};
    socklen_t from_size = sizeof from;
    EXPECT_EQ(io::recvfrom(a, buffer, 10, 0, reinterpret_cast<sockaddr*>(&from), &from_size), 3);
    EXPECT_EQ(from_size, sizeof from);
    EXPECT_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    EXPECT_EQ(io::sendto(a, "de", 2, 0, reinterpret_cast<sockaddr*>(&from), from_size), 2);
    EXPECT_EQ(io::recvfrom(b, buffer, 10, 0, nullptr, nullptr), 2);
    io::close(a);
    io::close(b);
  });
}

TEST_P(io_calls, connect_refused) {
  run([] {
    tcp_port port;
    port.close();  // its number is free again: nobody listens
    EXPECT_EQ(port.connect(), -1);
    EXPECT_EQ(errno, ECONNREFUSED);
  });
}

TEST_P(io_calls, accept_tells_the_peer) {
  run([] {
    const tcp_port port;
    const int near = port.connect();
    sockaddr_in peer{}, own{};
    socklen_t peer_size = sizeof peer, own_size = sizeof own;
    const int far = io::accept4(port.fd, reinterpret_cast<sockaddr*>(&peer), &peer_size, 0);
    ASSERT_GE(far, 0);
    ASSERT_EQ(::getsockname(near, reinterpret_cast<sockaddr*>(&own), &own_size), 0);
    EXPECT_EQ(peer.sin_port, own.sin_port);
    io::close(near);
    io::close(far);
  });
}

TEST_P(io_calls, writing_to_a_closed_peer_is_epipe) {
  run([] {
    fd_pair p = make_socketpair();
    p.close(0);
    EXPECT_EQ(io::send(p[1], "x", 1, MSG_NOSIGNAL), -1);
    EXPECT_EQ(errno, EPIPE);
  });
}

TEST_P(io_calls, a_reset_is_econnreset) {
  run([] {
    fd_pair p = make_tcp();
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(::setsockopt(p[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    p.close(1);
    char c;
    EXPECT_EQ(io::recv(p[0], &c, 1, 0), -1);
    EXPECT_EQ(errno, ECONNRESET);
    EXPECT_EQ(io::recv(p[0], &c, 1, 0), 0) << "told once";
  });
}

// Calls that need a descriptor, made with the one given.
template <class Check>
void every_call(int fd, Check&& check) {
  char c = 0;
  iovec part{&c, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  const auto* address = reinterpret_cast<const sockaddr*>(&to);
  std::error_code e;
  check("read", io::read(fd, &c, 1), e, io::read(fd, &c, 1, e));
  check("write", io::write(fd, &c, 1), e, io::write(fd, &c, 1, e));
  check("readv", io::readv(fd, &part, 1), e, io::readv(fd, &part, 1, e));
  check("writev", io::writev(fd, &part, 1), e, io::writev(fd, &part, 1, e));
  check("pread", io::pread(fd, &c, 1, 0), e, io::pread(fd, &c, 1, 0, e));
  check("pwrite", io::pwrite(fd, &c, 1, 0), e, io::pwrite(fd, &c, 1, 0, e));
  check("recv", io::recv(fd, &c, 1, 0), e, io::recv(fd, &c, 1, 0, e));
  check("send", io::send(fd, &c, 1, 0), e, io::send(fd, &c, 1, 0, e));
  check("recvfrom", io::recvfrom(fd, &c, 1, 0, nullptr, nullptr), e,
        io::recvfrom(fd, &c, 1, 0, nullptr, nullptr, e));
  check("sendto", io::sendto(fd, &c, 1, 0, address, sizeof to), e,
        io::sendto(fd, &c, 1, 0, address, sizeof to, e));
  check("recvmsg", io::recvmsg(fd, &message, 0), e, io::recvmsg(fd, &message, 0, e));
  check("sendmsg", io::sendmsg(fd, &message, 0), e, io::sendmsg(fd, &message, 0, e));
  check("connect", io::connect(fd, address, sizeof to), e, io::connect(fd, address, sizeof to, e));
  check("accept4", io::accept4(fd, nullptr, nullptr, 0), e,
        io::accept4(fd, nullptr, nullptr, 0, e));
  check("close", io::close(fd), e, io::close(fd, e));
  check("wait_readable", io::wait_readable(fd) ? 0 : -1, e,
        io::wait_readable(fd, io::never, e) ? 0 : -1);
  check("wait_writable", io::wait_writable(fd) ? 0 : -1, e,
        io::wait_writable(fd, io::never, e) ? 0 : -1);
}

TEST_P(io_calls, what_was_never_a_descriptor_is_ebadf) {
  run([] {
    for (const int fd : {-1, -1000, 999'999, 2'000'000'000}) {
      const auto check = [&](const char* name, long result, std::error_code& code, long coded) {
        EXPECT_EQ(result, -1) << name << ' ' << fd;
        EXPECT_EQ(coded, -1) << name << ' ' << fd;
        EXPECT_EQ(code, std::errc::bad_file_descriptor) << name << ' ' << fd;
      };
      every_call(fd, check);
      errno = 0;
      char c;
      EXPECT_EQ(io::read(fd, &c, 1), -1);
      EXPECT_EQ(errno, EBADF);
      io::adopt(fd);  // no effect
    }
  });
}

TEST_P(io_calls, what_has_been_closed_is_ebadf) {
  run([] {
    fd_pair p = make_socketpair();
    const int gone = p[0];
    p.close(0);
    every_call(gone, [&](const char* name, long result, std::error_code& code, long) {
      EXPECT_EQ(result, -1) << name;
      EXPECT_EQ(code, std::errc::bad_file_descriptor) << name;
    });
  });
}

TEST_P(io_calls, error_codes_leave_errno_alone) {
  run([] {
    fd_pair p = make_pipe();
    std::error_code code = std::make_error_code(std::errc::io_error);
    char c;
    errno = 4711;
    EXPECT_EQ(io::write(p[1], "x", 1, code), 1);
    EXPECT_FALSE(code) << "cleared";
    EXPECT_EQ(io::read(-1, &c, 1, code), -1);
    EXPECT_EQ(code, std::errc::bad_file_descriptor);
    EXPECT_EQ(errno, 4711);
    int made[2];
    EXPECT_EQ(io::pipe(made, 0, code), 0);
    EXPECT_EQ(io::close(made[0], code), 0);
    EXPECT_EQ(io::close(made[1], code), 0);
    EXPECT_EQ(io::socket(-1, -1, -1, code), -1);
    EXPECT_TRUE(code);
    EXPECT_EQ(io::socketpair(-1, 0, 0, made, code), -1);
    EXPECT_TRUE(code);
    pollfd one{.fd = p[0], .events = POLLIN, .revents = 0};
    EXPECT_EQ(io::poll(&one, 1, 0, code), 1);
    EXPECT_FALSE(code);
    io::adopt(p[0], code);
    EXPECT_EQ(errno, 4711);
  });
}
}  // namespace
}  // namespace weft::test
