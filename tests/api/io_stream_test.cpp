// Data and the end of a stream reach the reader in whatever order they and the
// reads come: nothing is lost to the read that is skipped because a short one
// has drained the socket.
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "support/chaotic.hpp"
#include "support/descriptors.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

struct stream_setting {
  unsigned workers;
  bool tcp;
};
class io_stream : public testing::TestWithParam<stream_setting> {
 protected:
  fd_pair connected() { return GetParam().tcp ? make_tcp() : make_socketpair(); }
};
INSTANTIATE_TEST_SUITE_P(on, io_stream,
                         testing::Values(stream_setting{1, true}, stream_setting{2, true},
                                         stream_setting{4, true}, stream_setting{1, false},
                                         stream_setting{2, false}),
                         [](const auto& given) {
                           return std::to_string(given.param.workers) +
                                  (given.param.tcp ? "_workers_tcp" : "_workers_unix");
                         });

// Writer's steps are separated by a number of yields that counts through all
// small combinations, the reader starts before, between or after them.
TEST_P(io_stream, data_then_end_in_all_orders) {
  runtime rt({.workers = GetParam().workers});
  rt.run([&] {
    constexpr int steps = 4;  // start, data, data, end
    for (int order = 0; order < 4 * 4 * 4 * 4; ++order) {
      fd_pair p = connected();
      std::string got;
      const auto pause = [order](int step) {
        for (int i = order >> 2 * step & 3; i > 0; --i) this_fiber::yield();
      };
      fiber reader([&] {
        pause(0);
        got = read_to_end(p[0]);
      });
      pause(1);
      ASSERT_EQ(write(p[1], "abc"), 3);
      pause(2);
      ASSERT_EQ(write(p[1], "de"), 2);
      pause(steps - 1);
      if (order % 2 == 0) {
        ::shutdown(p[1], SHUT_WR);
      } else {
        p.close(1);
      }
      reader.join();
      ASSERT_EQ(got, "abcde") << "order " << order;
    }
  });
}

// The same with a kernel thread that writes, so that data and end fall anywhere
// into the reader's calls.
TEST_P(io_stream, data_then_end_from_a_kernel_thread) {
  runtime rt({.workers = GetParam().workers});
  constexpr int rounds = 300;
  std::vector<fd_pair> pairs;
  for (int i = 0; i < rounds; ++i) pairs.push_back(connected());
  std::thread writer([&] {
    for (fd_pair& p : pairs) {
      write(p[1], "abc");
      write(p[1], "de");
      ::shutdown(p[1], SHUT_WR);
    }
  });
  rt.run([&] {
    for (fd_pair& p : pairs) ASSERT_EQ(read_to_end(p[0]), "abcde");
  });
  writer.join();
}

TEST_P(io_stream, a_reset_after_data) {
  runtime rt({.workers = GetParam().workers});
  rt.run([&] {
    for (int round = 0; round < 100; ++round) {
      fd_pair p = connected();
      std::string got;
      fiber reader([&] { got = read_to_end(p[0]); });
      for (int i = round % 4; i > 0; --i) this_fiber::yield();
      ASSERT_EQ(write(p[1], "abc"), 3);
      if (round % 3 == 0) this_fiber::sleep_for(100us);
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(p[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      p.close(1);
      reader.join();
      const std::string reset = '<' + std::to_string(ECONNRESET) + '>';
      // A reset may overtake data that nobody has read yet; a unix socket knows
      // no reset.
      EXPECT_TRUE(got == reset || got == "abc" + reset || (!GetParam().tcp && got == "abc")) << got;
    }
  });
}

// A conversation of small messages: every second read is one that may be
// skipped.
TEST_P(io_stream, ping_pong) {
  runtime rt({.workers = GetParam().workers});
  rt.run([&] {
    fd_pair p = connected();
    fiber echo([&] {
      char buffer[64];
      ssize_t n;
      while ((n = io::read(p[0], buffer, sizeof buffer)) > 0) {
        ASSERT_EQ(io::write(p[0], buffer, static_cast<std::size_t>(n)), n);
      }
      EXPECT_EQ(n, 0);
    });
    char buffer[64];
    for (int round = 0; round < times(3000); ++round) {
      const auto size = static_cast<std::size_t>(round % 10 + 1);
      ASSERT_EQ(io::write(p[1], "0123456789", size), static_cast<ssize_t>(size));
      for (std::size_t got = 0; got < size;) {
        const ssize_t n = io::read(p[1], buffer, sizeof buffer);
        ASSERT_GT(n, 0);
        got += static_cast<std::size_t>(n);
      }
    }
    ::shutdown(p[1], SHUT_WR);
    echo.join();
  });
}

// A megabyte both ways at once: every writer blocks until its reader takes
// something.
TEST_P(io_stream, big_transfers_both_ways) {
  runtime rt({.workers = GetParam().workers});
  rt.run([&] {
    fd_pair p = connected();
    constexpr std::size_t size = 1 << 20;
    std::string sent(size, '\0');
    std::mt19937 random(1);
    for (char& c : sent) c = static_cast<char>(random());
    const auto send_all = [&](int fd) {
      for (std::size_t at = 0; at < size;) {
        const ssize_t n = io::write(fd, sent.data() + at, size - at);
        ASSERT_GT(n, 0) << errno;
        at += static_cast<std::size_t>(n);
      }
      ::shutdown(fd, SHUT_WR);
    };
    fiber w0([&] { send_all(p[0]); });
    fiber w1([&] { send_all(p[1]); });
    std::string got0;
    fiber r0([&] { got0 = read_to_end(p[0], 70'000); });
    EXPECT_EQ(read_to_end(p[1], 7'001), sent);
    r0.join();
    EXPECT_EQ(got0, sent);
  });
}

// Several fibers read one stream: each byte goes to one of them, and all see
// the end.
TEST_P(io_stream, several_readers) {
  runtime rt({.workers = GetParam().workers});
  rt.run([&] {
    fd_pair p = connected();
    constexpr int readers = 4;
    constexpr std::size_t size = 20'000;
    std::size_t got[readers] = {};
    int ends = 0;
    std::vector<fiber> fibers;
    for (int i = 0; i < readers; ++i) {
      fibers.emplace_back([&, i] {
        char buffer[7];
        ssize_t n;
        while ((n = io::read(p[0], buffer, sizeof buffer)) > 0) {
          got[i] += static_cast<std::size_t>(n);
        }
        EXPECT_EQ(n, 0);
      });
    }
    for (std::size_t at = 0; at < size; at += 10) {
      ASSERT_EQ(write(p[1], "0123456789"), 10);
      if (at % 300 == 0) this_fiber::yield();
    }
    ::shutdown(p[1], SHUT_WR);
    for (fiber& f : fibers) f.join();
    EXPECT_EQ(std::accumulate(got, got + readers, std::size_t{0}), size);
    static_cast<void>(ends);
  });
}

// Peeking and taking take turns; a peek must not count as a drain.
TEST_P(io_stream, peek_between_reads) {
  runtime rt({.workers = GetParam().workers});
  rt.run([&] {
    fd_pair p = connected();
    fiber writer([&] {
      for (int i = 0; i < 500; ++i) {
        ASSERT_EQ(write(p[1], "abc"), 3);
        if (i % 3 == 0) this_fiber::yield();
      }
      ::shutdown(p[1], SHUT_WR);
    });
    std::size_t total = 0;
    char buffer[64];
    for (;;) {
      const ssize_t seen = io::recv(p[0], buffer, sizeof buffer, MSG_PEEK);
      ASSERT_GE(seen, 0);
      const ssize_t n = io::recv(p[0], buffer, sizeof buffer, 0);
      ASSERT_GE(n, seen);
      if (n == 0) break;
      total += static_cast<std::size_t>(n);
    }
    EXPECT_EQ(total, 1500u);
  });
}
}  // namespace
}  // namespace weft::test
