// Descriptors under stress: what is written is read once and by nobody else, whatever is stopped,
// timed out, closed and opened again meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/descriptors.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class io_stress : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, io_stress, testing::Values(1u, 2u, 4u));

fd_pair any_pair(choices& random) {
  switch (random.below(3)) {
    case 0:
      return make_pipe();
    case 1:
      return make_socketpair();
    default:
      return make_tcp();
  }
}

// Readers of one descriptor are stopped and time out all the while; no byte is lost or doubled.
TEST_P(io_stress, bytes_are_conserved) {
  choices random(seed());
  const budget time;
  runtime rt({.workers = GetParam()});
  do {
    rt.run([&] {
      fd_pair p = any_pair(random);
      constexpr int sent = 2000;
      std::atomic<int> got{0};
      fiber writer([&, mine = random.split()]() mutable {
        for (int i = 0; i < sent;) {
          const auto n =
              std::min<std::size_t>(1 + mine.below(5), static_cast<std::size_t>(sent - i));
          const ssize_t written = io::write(p[1], "abcde", n);
          ASSERT_GT(written, 0);
          i += static_cast<int>(written);
          if (mine.one_in(4)) this_fiber::yield();
          if (mine.one_in(200)) this_fiber::sleep_for(50us);
        }
      });
      const auto read_some = [&](choices mine) {
        char buffer[8];
        for (;;) {
          const deadline_scope limit{std::chrono::microseconds(mine.below(60))};
          const ssize_t n = io::read(p[0], buffer, 1 + mine.below(8));
          if (n > 0) got += static_cast<int>(n);
          if (n < 0 && errno == ECANCELED) return;
          ASSERT_TRUE(n > 0 || errno == ETIMEDOUT) << n << ' ' << errno;
        }
      };
      while (got < sent) {
        std::vector<fiber> readers;
        for (int i = 0; i < 4; ++i) {
          readers.emplace_back([&, mine = random.split()] { read_some(mine); });
        }
        this_fiber::sleep_for(std::chrono::microseconds(random.below(100)));
        for (fiber& f : readers) {
          if (random.one_in(2)) this_fiber::yield();
          f.request_stop();
        }
      }
      writer.join();
      EXPECT_EQ(got, sent);
      char c;
      const deadline_scope none_left(0s);
      EXPECT_EQ(io::read(p[0], &c, 1), -1);
    });
  } while (time.left());
}

// Fibers that open, talk and close under the same few numbers. Each conversation has its own mark,
// so a byte that goes to a successor of a closed descriptor shows.
TEST_P(io_stress, close_and_reopen) {
  choices random(seed());
  const budget time;
  runtime rt({.workers = GetParam()});
  do {
    rt.run([&] {
      std::vector<fiber> fibers;
      for (int i = 0; i < 8; ++i) {
        fibers.emplace_back([i, mine = random.split()]() mutable {
          for (int round = 0; round < 50; ++round) {
            fd_pair p = any_pair(mine);
            const std::string mark = std::to_string(i * 1000 + round);
            fiber reader([&] { EXPECT_EQ(read_to_end(p[0], 3), mark + mark); });
            if (mine.one_in(2)) this_fiber::yield();
            EXPECT_EQ(write(p[1], mark), static_cast<ssize_t>(mark.size()));
            if (mine.one_in(2)) this_fiber::yield();
            EXPECT_EQ(write(p[1], mark), static_cast<ssize_t>(mark.size()));
            if (mine.one_in(2)) this_fiber::yield();
            p.close(1);
            reader.join();
          }
        });
      }
      for (fiber& f : fibers) f.join();
    });
  } while (time.left());
}

// Descriptors closed under their readers, while others reuse the numbers. A reader that comes late
// may find a successor under its number; that one is closed soon too, and never has data.
TEST_P(io_stress, close_under_waiters) {
  choices random(seed());
  const budget time;
  runtime rt({.workers = GetParam()});
  do {
    rt.run([&] {
      std::vector<fiber> fibers;
      for (int i = 0; i < 6; ++i) {
        fibers.emplace_back([mine = random.split()]() mutable {
          for (int round = 0; round < 50; ++round) {
            fd_pair p = any_pair(mine);
            const int number = p[0];
            std::atomic<bool> begun{false};
            fiber reader([&, polls = mine.one_in(3)] {
              begun = true;
              char c;
              pollfd one{number, POLLIN, 0};
              const ssize_t n = polls ? io::poll(&one, 1, -1) : io::read(number, &c, 1);
              if (polls) {
                EXPECT_EQ(n, 1);
              } else {
                EXPECT_LE(n, 0);
              }
            });
            until([&] { return begun.load(); });
            this_fiber::sleep_for(20us);  // mostly parked by now
            p.close(0);
            reader.join();
          }
        });
      }
      for (fiber& f : fibers) f.join();
    });
  } while (time.left());
}

// blocking(), timers, readiness and computing side by side: none holds the others up for ever.
TEST_P(io_stress, everything_at_once) {
  choices random(seed());
  const budget time;
  runtime rt({.workers = GetParam(), .max_blocking = 4});
  rt.run([&] {
    std::atomic<bool> stop{false};
    std::atomic<int> turns[4] = {};
    fd_pair p = make_socketpair();
    std::vector<fiber> fibers;
    fibers.emplace_back([&] {
      while (!stop) {
        this_fiber::sleep_for(100us);
        ++turns[0];
      }
    });
    for (int i = 0; i < 6; ++i) {
      fibers.emplace_back([&, mine = random.split()]() mutable {
        while (!stop) {
          blocking(
              [&] { std::this_thread::sleep_for(std::chrono::microseconds(mine.below(3000))); });
          ++turns[1];
        }
      });
    }
    fibers.emplace_back([&] {
      char c;
      while (io::read(p[1], &c, 1) == 1) {
        ASSERT_EQ(io::write(p[1], &c, 1), 1);
      }
    });
    fibers.emplace_back([&] {
      char c = 0;
      while (!stop) {
        ASSERT_EQ(io::write(p[0], &c, 1), 1);
        ASSERT_EQ(io::read(p[0], &c, 1), 1);
        ++turns[2];
      }
      ::shutdown(p[0], SHUT_WR);
    });
    fibers.emplace_back([&] {
      while (!stop) {
        ++turns[3];
        this_fiber::yield();
      }
    });
    std::vector<int> before(4);
    const auto all_moved_on = [&] {
      for (std::size_t i = 0; i < 4; ++i) {
        until([&] { return turns[i] > before[i]; });  // hangs if one is starved
        before[i] = turns[i];
      }
    };
    do all_moved_on();
    while (time.left());
    stop = true;
    for (fiber& f : fibers) f.join();
  });
}
}  // namespace
}  // namespace weft::test
