// Waiting for readiness: level-triggered, with deadlines, on one descriptor and
// on many.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "support/descriptors.hpp"
#include "support/places.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class io_wait : public anywhere {};
INSTANTIATE_TEST_SUITE_P(workers, io_wait, places);

TEST_P(io_wait, is_level_triggered) {
  run([] {
    fd_pair p = make_pipe();
    ASSERT_EQ(write(p[1], "ab"), 2);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(io::wait_readable(p[0]));
    char c;
    EXPECT_EQ(io::read(p[0], &c, 1), 1);
    EXPECT_TRUE(io::wait_readable(p[0])) << "something is left";
    EXPECT_EQ(io::read(p[0], &c, 1), 1);
    EXPECT_FALSE(io::wait_readable(p[0], 1ms));
    EXPECT_EQ(errno, ETIMEDOUT);
    EXPECT_TRUE(io::wait_writable(p[1]));
    p.close(1);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(io::wait_readable(p[0])) << "the end is readable";
  });
}

TEST_P(io_wait, deadlines_of_all_kinds) {
  run([] {
    fd_pair p = make_pipe();
    const auto times_out = [&](io::deadline until) {
      errno = 0;
      EXPECT_FALSE(io::wait_readable(p[0], until));
      EXPECT_EQ(errno, ETIMEDOUT);
    };
    times_out(0s);
    times_out(-5h);
    times_out(std::chrono::nanoseconds::min());
    times_out(1us);
    times_out(std::chrono::duration<double>(0.001));
    times_out(std::chrono::steady_clock::now() + 1ms);
    times_out(std::chrono::system_clock::now() + 1ms);
    times_out(std::chrono::steady_clock::now() - 1h);
    times_out(std::chrono::steady_clock::time_point::min());
    const auto before = std::chrono::steady_clock::now();
    times_out(3ms);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 3ms);
    ASSERT_EQ(write(p[1], "x"), 1);
    for (const io::deadline until : {io::deadline(0s), io::deadline(-1h), io::deadline(1h),
                                     io::never, io::deadline(std::chrono::hours::max()),
                                     io::deadline(std::chrono::steady_clock::time_point::max())}) {
      EXPECT_TRUE(io::wait_readable(p[0], until)) << "what is ready is ready";
    }
    std::error_code code;
    EXPECT_TRUE(io::wait_readable(p[0], 0s, code));
    EXPECT_FALSE(code);
    char c;
    io::read(p[0], &c, 1);
    EXPECT_FALSE(io::wait_readable(p[0], 0s, code));
    EXPECT_EQ(code, std::errc::timed_out);
  });
}

TEST_P(io_wait, a_writer_is_woken_when_there_is_room) {
  run([] {
    fd_pair p = make_pipe();
    const std::string much(1 << 20, 'x');
    const ssize_t fits = io::write(p[1], much.data(), much.size());
    ASSERT_GT(fits, 0);
    EXPECT_FALSE(io::wait_writable(p[1], 1ms));
    std::thread reader([&, fd = p[0]] {
      std::string buffer(static_cast<std::size_t>(fits), '\0');
      while (::read(fd, buffer.data(), buffer.size()) <= 0) std::this_thread::yield();
    });
    EXPECT_TRUE(io::wait_writable(p[1]));
    reader.join();
  });
}

TEST_P(io_wait, poll_tells_what_is_ready) {
  run([] {
    fd_pair a = make_socketpair(), b = make_pipe();
    pollfd fds[] = {{a[0], POLLIN | POLLOUT, 0},
                    {b[0], POLLIN, 0},
                    {-7, POLLIN, 99},
                    {b[1], POLLOUT, 0},
                    {a[0], POLLIN, 0}};
    EXPECT_EQ(io::poll(fds, 5, 0), 2);
    EXPECT_EQ(fds[0].revents, POLLOUT);
    EXPECT_EQ(fds[1].revents, 0);
    EXPECT_EQ(fds[2].revents, 0) << "negative ones are passed over";
    EXPECT_EQ(fds[3].revents, POLLOUT);
    ASSERT_EQ(write(a[1], "x"), 1);
    ASSERT_EQ(write(b[1], "x"), 1);
    EXPECT_EQ(io::poll(fds, 5, -1), 4);
    EXPECT_EQ(fds[0].revents, POLLIN | POLLOUT);
    EXPECT_EQ(fds[4].revents, POLLIN) << "the same descriptor twice";
    const int gone = b[0];
    b.close(0);
    fds[1].fd = gone;
    EXPECT_EQ(io::poll(fds, 2, 1000), 2);
    EXPECT_EQ(fds[1].revents, POLLNVAL);
  });
}

TEST_P(io_wait, poll_of_nothing_is_a_sleep) {
  run([] {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(io::poll(nullptr, 0, 3), 0);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 3ms);
    pollfd none{-1, POLLIN, 0};
    EXPECT_EQ(io::poll(&none, 1, 1), 0);
  });
}

TEST_P(io_wait, poll_reports_hang_up_unasked) {
  run([] {
    fd_pair p = make_pipe();
    pollfd one{p[0], 0, 0};
    EXPECT_EQ(io::poll(&one, 1, 1), 0);
    std::thread closer([&] { p.close(1); });
    EXPECT_EQ(io::poll(&one, 1, -1), 1);
    EXPECT_EQ(one.revents, POLLHUP);
    closer.join();
  });
}

TEST_P(io_wait, deadline_scope_ends_waits) {
  run([] {
    fd_pair p = make_pipe();
    char c;
    {
      const deadline_scope limit(2ms);
      EXPECT_EQ(io::read(p[0], &c, 1), -1);
      EXPECT_EQ(errno, ETIMEDOUT);
      EXPECT_EQ(write(p[1], "x"), -1) << "on entry too";
      EXPECT_EQ(errno, ETIMEDOUT);
    }
    {
      const deadline_scope limit(2ms);
      pollfd one{p[0], POLLIN, 0};
      EXPECT_EQ(io::poll(&one, 1, -1), -1);
      EXPECT_EQ(errno, ETIMEDOUT);
    }
    {
      const deadline_scope limit(2ms);
      EXPECT_FALSE(io::wait_readable(p[0], 1h));
      EXPECT_EQ(errno, ETIMEDOUT);
    }
    EXPECT_EQ(write(p[1], "x"), 1);
    EXPECT_EQ(io::read(p[0], &c, 1), 1);
  });
}

class io_poll_many : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, io_poll_many, testing::Values(1u, 2u, 4u));

// One fiber polls a hundred pipes; every byte written anywhere is found.
TEST_P(io_poll_many, finds_every_byte) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    constexpr int pipes = 100, bytes = 2000;
    std::vector<fd_pair> all;
    std::vector<pollfd> fds;
    for (int i = 0; i < pipes; ++i) {
      all.push_back(make_pipe());
      fds.push_back({all.back()[0], POLLIN, 0});
    }
    fiber writer([&] {
      for (int i = 0; i < bytes; ++i) {
        ASSERT_EQ(write(all[static_cast<std::size_t>(i * 7 % pipes)][1], "x"), 1);
        if (i % 3 == 0) this_fiber::yield();
        if (i % 100 == 0) this_fiber::sleep_for(50us);
      }
    });
    int found = 0;
    while (found < bytes) {
      const int n = io::poll(fds.data(), fds.size(), -1);
      ASSERT_GT(n, 0);
      int seen = 0;
      for (const pollfd& one : fds) {
        if (one.revents == 0) continue;
        ++seen;
        char buffer[16];
        const ssize_t got = io::read(one.fd, buffer, found % 2 ? 1 : 3);
        ASSERT_GT(got, 0);
        found += static_cast<int>(got);
      }
      ASSERT_EQ(n, seen);
    }
    writer.join();
  });
}

// Many fibers poll the same descriptors; each gets its turn, and time limits
// race with bytes.
TEST_P(io_poll_many, polls_of_the_same_descriptors) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    fd_pair a = make_pipe(), b = make_pipe();
    std::vector<fiber> fibers;
    for (int i = 0; i < 8; ++i) {
      fibers.emplace_back([&, i] {
        pollfd fds[] = {{a[0], POLLIN, 0}, {b[0], POLLIN, 0}};
        for (int k = 0; k < 50; ++k) {
          const int n = io::poll(fds, 2, (i + k) % 3);
          ASSERT_TRUE(n == 0 || n == 1) << n;
          char c;
          if (n == 1) io::recv(fds[0].revents ? a[0] : b[0], &c, 1, MSG_DONTWAIT);
        }
        while (io::poll(fds, 2, -1) == 0) {
        }
        EXPECT_NE(fds[1].revents & POLLHUP, 0);
      });
    }
    this_fiber::sleep_for(2ms);
    b.close(1);
    for (fiber& f : fibers) f.join();
  });
}

TEST_P(io_poll_many, is_canceled) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    for (int round = 0; round < 300; ++round) {
      fd_pair a = make_pipe(), b = make_pipe();
      fiber poller([&] {
        pollfd fds[] = {{a[0], POLLIN, 0}, {b[0], POLLIN, 0}};
        EXPECT_EQ(io::poll(fds, 2, -1), -1);
        EXPECT_EQ(errno, ECANCELED);
      });
      for (int i = round % 5; i > 0; --i) this_fiber::yield();
      poller.request_stop();
    }
  });
}
}  // namespace
}  // namespace weft::test
