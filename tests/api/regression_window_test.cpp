// Faults that needed something to happen between two steps of the library. The linker puts these
// close, recvfrom and accept4 before libc's, or a sanitizer's, and lets a test step in there.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>

#include "io/fd_table.hpp"
#include "support/descriptors.hpp"

namespace weft::test {
namespace {
// Calls `action` for the next `times` system calls on one descriptor.
class hook {
 public:
  void set(int fd, int times, std::function<void()> action) {
    action_ = std::move(action);
    left_ = times;
    fd_ = fd;  // last: seq_cst, pairs with the load in fire()
  }
  void fire(int fd) {
    if (fd_ != fd || left_.fetch_sub(1) <= 0) return;
    action_();
  }
  void clear() { fd_ = -1; }

 private:
  std::atomic<int> fd_{-1};
  std::atomic<int> left_{0};
  std::function<void()> action_;
};

hook before_close;
hook after_empty_recvfrom;
hook before_accept;

class regression_window : public testing::Test {
 protected:
  ~regression_window() override {
    before_close.clear();
    after_empty_recvfrom.clear();
    before_accept.clear();
  }
};
}  // namespace
}  // namespace weft::test

extern "C" {
int __real_close(int);
ssize_t __real_recvfrom(int, void*, std::size_t, int, sockaddr*, socklen_t*);
int __real_accept4(int, sockaddr*, socklen_t*, int);

int __wrap_close(int fd);
int __wrap_close(int fd) {
  weft::test::before_close.fire(fd);
  return __real_close(fd);
}

ssize_t __wrap_recvfrom(int fd, void* buffer, std::size_t count, int flags, sockaddr* from,
                        socklen_t* from_size);
ssize_t __wrap_recvfrom(int fd, void* buffer, std::size_t count, int flags, sockaddr* from,
                        socklen_t* from_size) {
  const ssize_t n = __real_recvfrom(fd, buffer, count, flags, from, from_size);
  const int error = errno;
  if (n < 0 && error == EAGAIN) weft::test::after_empty_recvfrom.fire(fd);
  errno = error;
  return n;
}

int __wrap_accept4(int fd, sockaddr* peer, socklen_t* peer_size, int flags);
int __wrap_accept4(int fd, sockaddr* peer, socklen_t* peer_size, int flags) {
  weft::test::before_accept.fire(fd);
  return __real_accept4(fd, peer, peer_size, flags);
}
}

namespace weft::test {
namespace {
// io::close in three steps: the number is retired, a fiber begins to wait on it, the kernel's
// close. Whoever begins there must be told too, like the one who has waited all along.
void expect_wait_ends_that_begins_while_closing(const std::function<int(int)>& wait) {
  runtime rt({.workers = 2});
  rt.run([&] {
    fd_pair p = make_socketpair(SOCK_DGRAM);
    std::atomic<bool> spins{false};
    std::atomic<bool> go{false};
    int early = 0;
    int late = 0;
    fiber waits_before([&] { early = wait(p[0]); });
    until_parked(rt, 1);
    fiber waits_between([&] {
      spins = true;
      while (!go) {  // keeps a worker of its own until it is told
      }
      late = wait(p[0]);
    });
    until([&] { return spins.load(); });
    bool called = false;
    before_close.set(p[0], 1, [&] {
      called = true;
      go = true;
      while (rt.stats().fibers_parked < 2) ::sched_yield();
      // What they did with the descriptor comes before its close: they parked under this lock.
      const detail::spin_guard guard(detail::find_entry(p[0])->lock);
    });
    p.close(0);
    waits_before.join();
    waits_between.join();
    EXPECT_TRUE(called);
    EXPECT_EQ(early, EBADF);
    EXPECT_EQ(late, EBADF);
  });
}

TEST_F(regression_window, recv_that_begins_while_closing) {
  expect_wait_ends_that_begins_while_closing([](int fd) {
    char c;
    return io::recv(fd, &c, 1, 0) < 0 ? errno : 0;
  });
}

TEST_F(regression_window, wait_that_begins_while_closing) {
  expect_wait_ends_that_begins_while_closing(
      [](int fd) { return io::wait_readable(fd) ? 0 : errno; });
}

TEST_F(regression_window, poll_that_begins_while_closing) {
  expect_wait_ends_that_begins_while_closing([](int fd) {
    pollfd one{fd, POLLIN, 0};
    return io::poll(&one, 1, -1) == 1 && one.revents == POLLNVAL ? EBADF : one.revents;
  });
}

// Two readers of a datagram socket find nothing; then two datagrams come, and are known to weft
// before either reader waits. Neither may take that news away from the other.
TEST_F(regression_window, an_edge_that_two_readers_missed) {
  runtime rt({.workers = 3});
  const int receiver = io::socket(AF_INET, SOCK_DGRAM, 0);
  const int sender = io::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(receiver, any, size), 0);
  ASSERT_EQ(::getsockname(receiver, any, &size), 0);
  ASSERT_EQ(::connect(sender, any, size), 0);
  std::atomic<int> received{0};
  const auto receive = [&] {
    char c;
    if (io::recvfrom(receiver, &c, 1, 0, nullptr, nullptr) == 1) ++received;
  };

  fiber first(on(rt), receive);
  detail::fd_entry& entry = *detail::find_entry(receiver);
  until([&] {
    const detail::spin_guard guard(entry.lock);
    return entry.registered != 0;
  });
  ASSERT_EQ(::send(sender, "0", 1, 0), 1);
  first.join();

  std::atomic<int> inside{0};
  std::atomic<bool> proceed{false};
  after_empty_recvfrom.set(receiver, 2, [&] {
    ++inside;
    while (!proceed) ::sched_yield();
  });
  fiber a(on(rt), receive);
  fiber b(on(rt), receive);
  until([&] { return inside == 2; });
  const auto& edges = entry.in.edges;
  const std::uint32_t before = edges.load(std::memory_order_acquire);
  ASSERT_EQ(::send(sender, "a", 1, 0), 1);
  ASSERT_EQ(::send(sender, "b", 1, 0), 1);
  until([&] { return edges.load(std::memory_order_acquire) != before; });
  proceed = true;
  a.join();
  b.join();
  EXPECT_EQ(received, 3);
  io::close(receiver);
  io::close(sender);
}

// A blocking listener that is not weft's, and somebody else who is quicker to take the connection
// that the acceptor saw: its accept4 blocks a kernel thread, but not the only worker.
TEST_F(regression_window, a_connection_that_another_acceptor_took) {
  runtime rt({.workers = 1});
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener, any, size), 0);
  ASSERT_EQ(::listen(listener, 5), 0);
  ASSERT_EQ(::getsockname(listener, any, &size), 0);
  std::atomic<bool> taken{false};
  before_accept.set(listener, 1, [&] {
    ::close(__real_accept4(listener, nullptr, nullptr, 0));
    taken = true;
  });
  rt.run([&] {
    int accepted = -1;
    fiber acceptor([&] { accepted = io::accept4(listener, nullptr, nullptr, 0); });
    const auto connect = [&] {
      const int s = io::socket(AF_INET, SOCK_STREAM, 0);
      EXPECT_EQ(io::connect(s, any, size), 0);
      return s;
    };
    const int one = connect();
    until([&] { return taken.load(); });
    const int two = connect();
    acceptor.join();
    EXPECT_GE(accepted, 0);
    for (const int fd : {one, two, accepted}) io::close(fd);
  });
  ::close(listener);
}
}  // namespace
}  // namespace weft::test
