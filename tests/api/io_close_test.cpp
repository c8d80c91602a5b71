// io::close ends the waits of others, and a number that is used again is not
// mistaken for its predecessor.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "support/chaotic.hpp"
#include "support/descriptors.hpp"
#include "support/dumps.hpp"
#include "support/process.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class io_close : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, io_close, testing::Values(1u, 2u, 4u));

TEST_P(io_close, ends_every_kind_of_wait) {
  runtime rt({.workers = GetParam()});
  rt.run([&] {
    const auto closed_under = [&](int kind, auto&& wait) {
      fd_pair p = make_socketpair();
      const std::string much(1 << 20, 'x');
      if (kind == 1) {
        while (io::send(p[0], much.data(), much.size(), MSG_DONTWAIT) > 0) {
        }
      }
      int error = 0;
      fiber waiting([&] {
        errno = 0;
        if (wait(p[0]) < 0) error = errno;
      });
      until_parked(rt, 1);
      p.close(0);
      waiting.join();
      return error;
    };
    for (int round = 0; round < 20; ++round) {
      char c = 0;
      EXPECT_EQ(closed_under(0, [&](int fd) { return io::read(fd, &c, 1); }), EBADF);
      EXPECT_EQ(closed_under(0, [&](int fd) { return io::recv(fd, &c, 1, MSG_PEEK); }), EBADF);
      EXPECT_EQ(
          closed_under(0, [&](int fd) { return io::recvfrom(fd, &c, 1, 0, nullptr, nullptr); }),
          EBADF);
      EXPECT_EQ(closed_under(0, [&](int fd) { return io::wait_readable(fd, 1h) ? 0 : -1; }), EBADF);
      EXPECT_EQ(closed_under(1, [&](int fd) { return io::write(fd, &c, 1); }), EBADF);
      EXPECT_EQ(closed_under(1, [&](int fd) { return io::send(fd, &c, 1, 0); }), EBADF);
      EXPECT_EQ(closed_under(1, [&](int fd) { return io::wait_writable(fd) ? 0 : -1; }), EBADF);
    }
  });
}

// The edge has made the waiter ready, and before it runs its descriptor is closed and the number is
// another's. On one worker: the monitor delivers the edge while the closer computes.
TEST(io_close_late, one_that_was_woken_does_not_take_what_is_the_next_ones) {
  runtime rt({.workers = 1});
  rt.run([&] {
    const auto woken_and_closed = [&](auto&& wait) {
      fd_pair p = make_socketpair();
      int error = 0;
      fiber waiting([&] {
        errno = 0;
        if (wait(p[0]) < 0) error = errno;
      });
      until_parked(rt, 1);
      const int number = p[0];
      EXPECT_EQ(::write(p[1], "x", 1), 1);
      while (rt.stats().fibers_ready == 0) {  // computing: no other fiber runs
      }
      p.close(0);
      fd_pair next = make_socketpair();
      EXPECT_EQ(next[0], number);
      EXPECT_EQ(::write(next[1], "y", 1), 1);
      waiting.join();
      char c = 0;
      EXPECT_EQ(::recv(next[0], &c, 1, MSG_DONTWAIT), 1);
      EXPECT_EQ(c, 'y');
      return error;
    };
    char c = 0;
    EXPECT_EQ(woken_and_closed([&](int fd) { return io::read(fd, &c, 1); }), EBADF);
    EXPECT_EQ(woken_and_closed([&](int fd) { return io::recv(fd, &c, 1, 0); }), EBADF);
    EXPECT_EQ(
        woken_and_closed([&](int fd) { return io::recvfrom(fd, &c, 1, 0, nullptr, nullptr); }),
        EBADF);
    EXPECT_EQ(woken_and_closed([&](int fd) { return io::wait_readable(fd, 1h) ? 0 : -1; }), EBADF);
  });
}

TEST_P(io_close, ends_accept) {
  runtime rt({.workers = GetParam()});
  rt.run([&] {
    for (int round = 0; round < 50; ++round) {
      tcp_port port;
      std::atomic<int> ended{0};
      std::vector<fiber> acceptors;
      for (int i = 0; i < 3; ++i) {
        acceptors.emplace_back([&, fd = port.fd] {
          EXPECT_EQ(io::accept4(fd, nullptr, nullptr, 0), -1);
          EXPECT_TRUE(errno == EBADF) << errno;
          ++ended;
        });
      }
      until_parked(rt, 3);
      port.close();
      for (fiber& f : acceptors) f.join();
      EXPECT_EQ(ended, 3);
    }
  });
}

// poll reports a closed descriptor as its namesake does, whatever the order of
// close and look.
TEST_P(io_close, ends_poll) {
  runtime rt({.workers = GetParam()});
  rt.run([&] {
    for (int round = 0; round < times(1000); ++round) {
      fd_pair a = make_pipe(), b = make_pipe();
      fiber poller([fds = std::vector<pollfd>{{a[0], POLLIN, 0}, {b[0], POLLIN, 0}}]() mutable {
        EXPECT_EQ(io::poll(fds.data(), 2, -1), 1);
        EXPECT_EQ(fds[1].revents, POLLNVAL);
      });
      until_parked(rt, 1);
      b.close(0);
      poller.join();
    }
  });
}

// The number is taken by another descriptor at once; whoever waited under it
// must not see the new one.
TEST_P(io_close, a_reused_number_is_another_descriptor) {
  runtime rt({.workers = GetParam()});
  rt.run([&] {
    for (int round = 0; round < times(300); ++round) {
      fd_pair old = make_pipe();
      const int number = old[0];
      fiber waiting([&, number] {
        char c;
        EXPECT_EQ(io::read(number, &c, 1), -1);
        EXPECT_EQ(errno, EBADF);
      });
      until_dumped("readable, fd " + std::to_string(number) + "[^0-9]");
      old.close(0);
      fd_pair fresh = make_pipe();
      ASSERT_EQ(fresh[0], number) << "the lowest free number";
      ASSERT_EQ(write(fresh[1], "x"), 1);
      waiting.join();
      char c = 0;
      EXPECT_EQ(io::read(fresh[0], &c, 1), 1);
      EXPECT_EQ(c, 'x');
    }
  });
}

// Events of a closed descriptor, still on their way, do not reach its
// successor; nor does what was known about the old one (drained, hang-up seen).
TEST_P(io_close, churn_under_the_same_numbers) {
  runtime rt({.workers = GetParam()});
  rt.run([&] {
    std::vector<fiber> fibers;
    for (int i = 0; i < 6; ++i) {
      fibers.emplace_back([i] {
        for (int round = 0; round < 300; ++round) {
          fd_pair p = (round + i) % 2 ? make_socketpair() : make_pipe();
          fiber reader([&] { EXPECT_EQ(read_to_end(p[0], 10), "abcd"); });
          if ((round + i) % 3 == 0) this_fiber::yield();
          EXPECT_EQ(write(p[1], "abcd"), 4);
          if ((round + i) % 5 == 0) this_fiber::yield();
          p.close(1);
          reader.join();
        }
      });
    }
    for (fiber& f : fibers) f.join();
  });
}

// Connections shared among acceptors: each goes to exactly one.
TEST_P(io_close, acceptors_share_connections) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    constexpr int connections = 200;
    tcp_port port;
    std::atomic<int> accepted{0};
    std::vector<fiber> acceptors;
    for (int i = 0; i < 4; ++i) {
      acceptors.emplace_back([&, fd = port.fd] {
        int got;
        while ((got = io::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
          EXPECT_EQ(read_to_end(got), "hi");
          io::close(got);
          ++accepted;
        }
        EXPECT_EQ(errno, ECANCELED);
      });
    }
    std::vector<fiber> clients;
    for (int i = 0; i < connections; ++i) {
      clients.emplace_back([&] {
        const int fd = port.connect();
        ASSERT_GE(fd, 0);
        EXPECT_EQ(write(fd, "hi"), 2);
        io::close(fd);
      });
    }
    for (fiber& f : clients) f.join();
    until([&] { return accepted == connections; });
    for (fiber& f : acceptors) f.request_stop();
    for (fiber& f : acceptors) f.join();
    EXPECT_EQ(accepted, connections);
  });
}

TEST(io_fds, everything_made_is_closed_again) {
  const auto lowest_free = [] {
    const int fd = ::dup(0);
    ::close(fd);
    return fd;
  };
  runtime rt({.workers = 2});
  const int before = lowest_free();
  rt.run([] {
    for (int i = 0; i < 100; ++i) {
      const fd_pair a = make_tcp(), b = make_pipe(), c = make_socketpair();
    }
  });
  EXPECT_EQ(lowest_free(), before);
}
}  // namespace
}  // namespace weft::test
