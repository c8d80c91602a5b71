// Descriptors that weft did not make: pipes, sockets, files and devices of
// others. They work, and their flags stay as they were.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "support/descriptors.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// A pipe or socket pair made by the kernel call itself, blocking, and closed by
// it.
struct foreign_pair {
  int fds[2];
  explicit foreign_pair(bool socket) {
    const int made = socket ? ::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : ::pipe(fds);
    if (made != 0) throw std::system_error(errno, std::generic_category());
  }
  ~foreign_pair() {
    close(0);
    close(1);
  }
  void close(int i) {
    if (fds[i] >= 0) ::close(fds[i]);
    fds[i] = -1;
  }
  foreign_pair(const foreign_pair&) = delete;
  foreign_pair& operator=(const foreign_pair&) = delete;
  int operator[](int i) const { return fds[i]; }
};

struct foreign_setting {
  unsigned workers;
  bool socket;
};
class io_foreign : public testing::TestWithParam<foreign_setting> {};
INSTANTIATE_TEST_SUITE_P(on, io_foreign,
                         testing::Values(foreign_setting{1, true}, foreign_setting{2, true},
                                         foreign_setting{1, false}, foreign_setting{2, false}),
                         [](const auto& given) {
                           return std::to_string(given.param.workers) +
                                  (given.param.socket ? "_workers_socket" : "_workers_pipe");
                         });

TEST_P(io_foreign, reads_and_writes_park_only_the_fiber) {
  runtime rt({.workers = GetParam().workers});
  rt.run([&] {
    const foreign_pair p(GetParam().socket);
    for (int round = 0; round < 200; ++round) {
      fiber writer([&] {
        for (int i = round % 3; i > 0; --i) this_fiber::yield();
        EXPECT_EQ(write(p[1], "abc"), 3);
      });
      char buffer[10];
      ASSERT_EQ(io::read(p[0], buffer, sizeof buffer), 3);
    }
    EXPECT_EQ(::fcntl(p[0], F_GETFL) & O_NONBLOCK, 0) << "flags are not ours to change";
    EXPECT_EQ(::fcntl(p[1], F_GETFL) & O_NONBLOCK, 0);
  });
}

TEST_P(io_foreign, waits_end_by_stop_and_deadline) {
  runtime rt({.workers = GetParam().workers});
  rt.run([&] {
    const foreign_pair p(GetParam().socket);
    char c;
    {
      const deadline_scope limit(2ms);
      EXPECT_EQ(io::read(p[0], &c, 1), -1);
      EXPECT_EQ(errno, ETIMEDOUT);
    }
    fiber reader([&] {
      EXPECT_EQ(io::read(p[0], &c, 1), -1);
      EXPECT_EQ(errno, ECANCELED);
    });
    this_fiber::yield();
    reader.request_stop();
    reader.join();
    EXPECT_FALSE(io::wait_readable(p[0], 1ms));
    ASSERT_EQ(write(p[1], "x"), 1);
    EXPECT_TRUE(io::wait_readable(p[0]));
    EXPECT_EQ(io::read(p[0], &c, 1), 1);
  });
}

TEST_P(io_foreign, big_transfers) {
  runtime rt({.workers = GetParam().workers});
  rt.run([&] {
    foreign_pair p(GetParam().socket);
    std::string sent(300'000, '\0');
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7 / 3);
    fiber writer([&] {
      for (std::size_t at = 0; at < sent.size();) {
        const ssize_t n = io::write(p[1], sent.data() + at, sent.size() - at);
        ASSERT_GT(n, 0);
        at += static_cast<std::size_t>(n);
      }
      p.close(1);
    });
    EXPECT_EQ(read_to_end(p[0], 5000), sent);
    writer.join();
  });
}

// A library closes its descriptor behind us and opens another under the same
// number.
TEST_P(io_foreign, numbers_reused_behind_our_back) {
  runtime rt({.workers = GetParam().workers});
  rt.run([&] {
    int number = -1;
    for (int round = 0; round < 100; ++round) {
      const foreign_pair p(GetParam().socket != (round % 3 == 0));
      if (number >= 0) {
        ASSERT_EQ(p[0], number);
      }
      number = p[0];
      fiber writer([&] {
        this_fiber::yield();
        EXPECT_EQ(write(p[1], "x"), 1);
      });
      char c;
      ASSERT_EQ(io::read(p[0], &c, 1), 1);
      const deadline_scope limit(10us);
      ASSERT_EQ(io::read(p[0], &c, 1), -1);  // leaves it registered
    }
  });
}

TEST_P(io_foreign, adopted_ones_are_closed_through_us) {
  runtime rt({.workers = GetParam().workers});
  rt.run([&] {
    for (int round = 0; round < 50; ++round) {
      foreign_pair p(GetParam().socket);
      io::adopt(p[0]);
      const auto ctl_before = rt.stats().syscalls.epoll_ctl;
      for (int i = 0; i < 20; ++i) {
        fiber writer([&] {
          this_fiber::yield();
          EXPECT_EQ(write(p[1], "x"), 1);
        });
        char c;
        ASSERT_EQ(io::read(p[0], &c, 1), 1);
        writer.join();
      }
      EXPECT_LE(rt.stats().syscalls.epoll_ctl, ctl_before + 1) << "registered once";
      EXPECT_EQ(::fcntl(p[0], F_GETFL) & O_NONBLOCK, 0);
      io::close(p[0]);
      p.fds[0] = -1;
    }
  });
}

class io_files : public testing::TestWithParam<bool> {
 protected:
  template <class F>
  void run(F&& f) {
    if (!GetParam()) return f();
    runtime rt({.workers = 1});
    rt.run(std::forward<F>(f));
  }
};
INSTANTIATE_TEST_SUITE_P(on, io_files, testing::Bool(), [](const auto& given) {
  return given.param ? "a_fiber" : "a_kernel_thread";
});

TEST_P(io_files, regular_files) {
  run([] {
    char path[] = "/tmp/weft_test_XXXXXX";
    const int fd = ::mkstemp(path);
    ASSERT_GE(fd, 0);
    ::unlink(path);
    EXPECT_EQ(write(fd, "hello world"), 11);
    EXPECT_TRUE(io::wait_readable(fd)) << "always";
    EXPECT_TRUE(io::wait_writable(fd, 0s));
    char buffer[20] = {};
    EXPECT_EQ(io::pread(fd, buffer, 5, 6), 5);
    EXPECT_STREQ(buffer, "world");
    EXPECT_EQ(io::pwrite(fd, "W", 1, 6), 1);
    EXPECT_EQ(::lseek(fd, 0, SEEK_SET), 0);
    char a[6] = {}, b[10] = {};
    const iovec parts[] = {{a, 5}, {b, 9}};
    EXPECT_EQ(io::readv(fd, parts, 2), 11);
    EXPECT_STREQ(b, " World");
    EXPECT_EQ(io::read(fd, buffer, 10), 0) << "the end";
    pollfd one{fd, POLLIN | POLLOUT, 0};
    EXPECT_EQ(io::poll(&one, 1, -1), 1);
    EXPECT_EQ(one.revents, POLLIN | POLLOUT);
    EXPECT_EQ(io::recv(fd, buffer, 1, 0), -1);
    EXPECT_EQ(errno, ENOTSOCK);
    EXPECT_EQ(io::close(fd), 0);
  });
}

TEST_P(io_files, devices_and_directories) {
  run([] {
    char c = 'x';
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    EXPECT_EQ(io::read(null, &c, 1), 0);
    EXPECT_EQ(io::write(null, &c, 1), 1);
    EXPECT_TRUE(io::wait_readable(null, 1s));
    EXPECT_EQ(io::close(null), 0);
    const int zero = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(io::read(zero, &c, 1), 1);
    EXPECT_EQ(c, 0);
    EXPECT_EQ(io::write(zero, &c, 1), -1);
    EXPECT_EQ(errno, EBADF) << "not open for writing";
    EXPECT_EQ(io::close(zero), 0);
    const int folder = ::open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT_EQ(io::read(folder, &c, 1), -1);
    EXPECT_EQ(errno, EISDIR);
    EXPECT_EQ(io::close(folder), 0);
  });
}

TEST_P(io_files, a_listener_of_others) {
  run([] {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);  // blocking
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* to = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener, to, size), 0);
    ASSERT_EQ(::listen(listener, 5), 0);
    ASSERT_EQ(::getsockname(listener, to, &size), 0);
    std::thread client([&] {
      const int s = ::socket(AF_INET, SOCK_STREAM, 0);
      EXPECT_EQ(io::connect(s, to, size), 0);
      EXPECT_EQ(::send(s, "x", 1, 0), 1);
      ::close(s);
    });
    const int got = io::accept4(listener, nullptr, nullptr, 0);
    EXPECT_GE(got, 0);
    EXPECT_EQ(read_to_end(got), "x");
    io::close(got);
    client.join();
    EXPECT_EQ(::fcntl(listener, F_GETFL) & O_NONBLOCK, 0);
    const int s = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(io::connect(s, to, size), 0);
    EXPECT_EQ(::fcntl(s, F_GETFL) & O_NONBLOCK, 0) << "restored";
    io::close(s);
    io::close(listener);
  });
}
}  // namespace
}  // namespace weft::test
