// Faults of descriptors that were found and fixed once: reads that waited though data was there.
#include <gtest/gtest.h>
#include <sys/un.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "support/descriptors.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// A listener in the abstract name space, so that nothing is left in the file system.
struct unix_listener {
  explicit unix_listener(int type, int backlog = 5) {
    fd = io::socket(AF_UNIX, type, 0);
    address.sun_family = AF_UNIX;
    const std::string name = "weft-test-" + std::to_string(::getpid());
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (fd < 0 || ::bind(fd, to(), size) != 0 || ::listen(fd, backlog) != 0) {
      throw std::system_error(errno, std::generic_category(), "unix_listener");
    }
  }
  ~unix_listener() { io::close(fd); }
  unix_listener(const unix_listener&) = delete;
  unix_listener& operator=(const unix_listener&) = delete;
  const sockaddr* to() const { return reinterpret_cast<const sockaddr*>(&address); }

  int fd = -1;
  sockaddr_un address{};
  socklen_t size = 0;
};

// A socket that closes itself; made elsewhere.
struct owned {
  explicit owned(int made) : fd(made) {}
  ~owned() {
    if (fd >= 0) io::close(fd);
  }
  owned(const owned&) = delete;
  owned& operator=(const owned&) = delete;
  int fd;
};

// Receives twice into a large buffer: the first result is short, and must not be taken for the
// bottom while the second message is there already. `send_both` queues both while the receiver is
// parked.
template <class Send>
void receive_two(const runtime& rt, int fd, Send&& send_both) {
  ssize_t first = -2;
  ssize_t second = -2;
  fiber receiver([&] {
    char buffer[100];
    first = io::recv(fd, buffer, sizeof buffer, 0);
    second = io::recv(fd, buffer, sizeof buffer, 0);
  });
  until_parked(rt, 1);
  send_both();
  receiver.join();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
}

TEST(regression_io, packets_of_an_accepted_seqpacket_socket) {
  runtime rt({.workers = 1});
  rt.run([&] {
    const unix_listener listener(SOCK_SEQPACKET);
    const owned client(io::socket(AF_UNIX, SOCK_SEQPACKET, 0));
    ASSERT_EQ(io::connect(client.fd, listener.to(), listener.size), 0);
    const owned server(io::accept4(listener.fd, nullptr, nullptr, 0));
    ASSERT_GE(server.fd, 0);
    receive_two(rt, server.fd, [&] {
      EXPECT_EQ(::send(client.fd, "a", 1, 0), 1);
      EXPECT_EQ(::send(client.fd, "bb", 2, 0), 2);
    });
  });
}

TEST(regression_io, packets_of_an_adopted_seqpacket_socket) {
  runtime rt({.workers = 1});
  rt.run([&] {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    const owned reader(ends[0]);
    const owned writer(ends[1]);
    io::adopt(reader.fd);
    io::adopt(writer.fd);
    receive_two(rt, reader.fd, [&] {
      EXPECT_EQ(::send(writer.fd, "a", 1, 0), 1);
      EXPECT_EQ(::send(writer.fd, "bb", 2, 0), 2);
    });
  });
}

// A byte that carries a descriptor: the kernel ends a read after it whatever follows.
void send_with_descriptor(int fd) {
  char byte = 'a';
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int passed = STDOUT_FILENO;
  std::memcpy(CMSG_DATA(header), &passed, sizeof passed);
  EXPECT_EQ(::sendmsg(fd, &message, 0), 1);
}

TEST(regression_io, bytes_behind_a_passed_descriptor) {
  runtime rt({.workers = 1});
  rt.run([&] {
    const fd_pair p = make_socketpair(SOCK_STREAM);
    receive_two(rt, p[0], [&] {
      send_with_descriptor(p[1]);
      EXPECT_EQ(::send(p[1], "bb", 2, 0), 2);
    });
  });
}

TEST(regression_io, bytes_behind_a_passed_descriptor_on_an_accepted_socket) {
  runtime rt({.workers = 1});
  rt.run([&] {
    const unix_listener listener(SOCK_STREAM);
    const owned client(io::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(io::connect(client.fd, listener.to(), listener.size), 0);
    const owned server(io::accept4(listener.fd, nullptr, nullptr, 0));
    ASSERT_GE(server.fd, 0);
    receive_two(rt, server.fd, [&] {
      send_with_descriptor(client.fd);
      EXPECT_EQ(::send(client.fd, "bb", 2, 0), 2);
    });
  });
}

TEST(regression_io, reading_nothing_does_not_wait) {
  runtime rt({.workers = 1});
  const auto read_nothing = [] {
    const fd_pair tcp = make_tcp();
    const fd_pair unix_pair = make_socketpair();
    char c;
    EXPECT_EQ(io::read(tcp[0], &c, 0), 0);
    EXPECT_EQ(io::read(unix_pair[0], &c, 0), 0);
  };
  rt.run(read_nothing);
  read_nothing();
}

TEST(regression_io, adopt_leaves_errno_alone) {
  const fd_pair p = make_pipe();
  std::error_code error;
  errno = 77;
  io::adopt(p[0]);
  EXPECT_EQ(errno, 77);
  io::adopt(p[1], error);
  EXPECT_EQ(errno, 77);
}

TEST(regression_io, accept_of_no_descriptor) {
  runtime rt({.workers = 1});
  rt.run([] {
    EXPECT_EQ(io::accept4(-1, nullptr, nullptr, 0), -1);
    EXPECT_EQ(errno, EBADF);
  });
}

// Connecting to a Unix listener whose backlog is full says EAGAIN, which is not for the caller to
// see.
TEST(regression_io, unix_connects_wait_for_a_full_backlog) {
  runtime rt({.workers = 1});
  rt.run([&] {
    constexpr int clients = 5;
    const unix_listener listener(SOCK_STREAM, 0);
    int connected = 0;
    std::vector<fiber> fibers;
    for (int i = 0; i < clients; ++i) {
      fibers.emplace_back([&] {
        const owned client(io::socket(AF_UNIX, SOCK_STREAM, 0));
        if (io::connect(client.fd, listener.to(), listener.size) == 0) ++connected;
      });
    }
    until_parked(rt, 1);  // somebody waits: the backlog is full
    for (int i = 0; i < clients; ++i) {
      const owned server(io::accept4(listener.fd, nullptr, nullptr, 0));
      EXPECT_GE(server.fd, 0);
    }
    for (fiber& f : fibers) f.join();
    EXPECT_EQ(connected, clients);
  });
}

// It went on to wait for the next descriptor under the number.
TEST(regression_io_close, poll_of_a_number_that_is_closed_and_used_again) {
  runtime rt({.workers = 1});
  rt.run([] {
    fd_pair p = make_socketpair();
    const int number = p[0];
    bool begun = false;
    pollfd one{number, POLLIN, 0};
    int n = 0;
    fiber waits([&] {
      const deadline_scope limit{std::chrono::seconds(5)};
      begun = true;
      n = io::poll(&one, 1, -1);
    });
    until([&] { return begun; });
    p.close(0);
    fd_pair next = make_socketpair();
    ASSERT_EQ(next[0], number) << "the test needs it";
    waits.join();
    EXPECT_EQ(n, 1);
    EXPECT_EQ(one.revents, POLLNVAL);
  });
}
}  // namespace
}  // namespace weft::test
