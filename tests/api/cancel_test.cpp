// A stop request ends waits, is looked at before anything happens, and leaves
// what is no cancellation point alone.
#include <gtest/gtest.h>
#include <unistd.h>

#include <exception>
#include <type_traits>
#include <weft/io.hpp>

#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// Runs f on a fiber, waits until it is parked, asks it to stop and joins it. On
// a fiber of `on`, which has one worker and no other fibers.
template <class F>
void stop_while_parked(const runtime& on, F&& f) {
  fiber waiting(std::forward<F>(f));
  until_parked(on, 1);
  EXPECT_TRUE(waiting.request_stop());
  waiting.join();
}

TEST(cancel, ends_sleep) {
  runtime rt({.workers = 1});
  rt.run([&] {
    bool ended = false;
    stop_while_parked(rt, [&] { ended = canceled([] { this_fiber::sleep_for(1h); }); });
    EXPECT_TRUE(ended);
  });
}

TEST(cancel, ends_endless_sleep) {
  runtime rt({.workers = 1});
  rt.run([&] {
    bool ended = false;
    stop_while_parked(
        rt, [&] { ended = canceled([] { this_fiber::sleep_for(std::chrono::hours::max()); }); });
    EXPECT_TRUE(ended);
  });
}

TEST(cancel, ends_join_and_the_joined_stays_joinable) {
  runtime rt({.workers = 1});
  rt.run([&] {
    bool go = false, ended = false, joinable = false;
    fiber other([&] { until([&] { return go; }); });
    fiber waiting([&] {
      ended = canceled([&] { other.join(); });
      joinable = other.joinable();
    });
    this_fiber::yield();
    waiting.request_stop();
    waiting.join();
    EXPECT_TRUE(ended);
    EXPECT_TRUE(joinable);
    go = true;
    other.join();
    EXPECT_FALSE(other.joinable());
  });
}

TEST(cancel, ends_io_with_ecanceled) {
  runtime rt({.workers = 1});
  rt.run([&] {
    int ends[2];
    ASSERT_EQ(io::pipe(ends), 0);
    const auto stopped_with = [&](auto&& call) {
      int error = 0;
      stop_while_parked(rt, [&] {
        errno = 0;
        if (call() < 0) error = errno;
      });
      return error;
    };
    char c;
    EXPECT_EQ(stopped_with([&] { return io::read(ends[0], &c, 1); }), ECANCELED);
    EXPECT_EQ(stopped_with([&] { return io::wait_readable(ends[0]) ? 0 : -1; }), ECANCELED);
    pollfd one{.fd = ends[0], .events = POLLIN, .revents = 0};
    EXPECT_EQ(stopped_with([&] { return io::poll(&one, 1, -1); }), ECANCELED);
    EXPECT_EQ(stopped_with([&] { return io::poll(&one, 1, 1'000'000); }), ECANCELED);
    ASSERT_EQ(io::write(ends[1], "x", 1), 1);
    EXPECT_EQ(io::read(ends[0], &c, 1), 1) << "usable afterwards";
    io::close(ends[0]);
    io::close(ends[1]);
  });
}

TEST(cancel, is_looked_at_before_the_effect) {
  runtime rt({.workers = 1});
  rt.run([&] {
    int ends[2];
    ASSERT_EQ(io::pipe(ends), 0);
    ASSERT_EQ(io::write(ends[1], "ab", 2), 2);
    fiber ended([] {});
    until([&] { return rt.stats().fibers_alive == 1; });
    fiber stopped([&] {
      char c = 0;
      EXPECT_EQ(io::read(ends[0], &c, 1), -1);
      EXPECT_EQ(errno, ECANCELED);
      EXPECT_EQ(io::write(ends[1], "c", 1), -1);
      EXPECT_EQ(errno, ECANCELED);
      EXPECT_FALSE(io::wait_readable(ends[0]));
      EXPECT_EQ(errno, ECANCELED);
      pollfd one{.fd = ends[0], .events = POLLIN, .revents = 0};
      EXPECT_EQ(io::poll(&one, 1, 0), -1);
      EXPECT_EQ(errno, ECANCELED);
      EXPECT_TRUE(canceled([] { this_fiber::sleep_for(0s); }));
      EXPECT_TRUE(canceled([] { this_fiber::sleep_for(-1s); }));
      EXPECT_TRUE(canceled([] { this_fiber::sleep_until(std::chrono::system_clock::now()); }));
      EXPECT_TRUE(canceled([&] { ended.join(); })) << "although the other has ended";
      EXPECT_TRUE(canceled([&] { ended.join(); })) << "sticky";
    });
    stopped.request_stop();  // before it has begun
    stopped.join();
    EXPECT_TRUE(ended.joinable());
    char buffer[8];
    EXPECT_EQ(io::read(ends[0], buffer, sizeof buffer), 2) << "nothing was read or written";
    io::close(ends[0]);
    io::close(ends[1]);
  });
}

TEST(cancel, leaves_what_is_no_cancellation_point_alone) {
  runtime rt({.workers = 1});
  rt.run([&] {
    int done = 0;
    fiber stopped([&] {
      for (int i = 0; i < 10; ++i) this_fiber::yield();
      ++done;
      EXPECT_EQ(blocking([] { return 5; }), 5);
      ++done;
      EXPECT_EQ(rt.run([] {
        this_fiber::sleep_for(1ms);  // another fiber, which nobody asked
        return 6;
      }),
                6);
      ++done;
      int ends[2];
      EXPECT_EQ(io::pipe(ends), 0);
      EXPECT_EQ(io::close(ends[0]), 0);
      EXPECT_EQ(io::close(ends[1]), 0);
      EXPECT_EQ(io::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
      EXPECT_EQ(io::close(ends[0]), 0);
      EXPECT_EQ(io::close(ends[1]), 0);
      ++done;
      {
        fiber inner([&] {
          this_fiber::yield();
          ++done;
        });
      }
    });
    stopped.request_stop();
    stopped.join();
    EXPECT_EQ(done, 5);
  });
}

TEST(cancel, waits_of_an_unwinding_fiber_are_shielded) {
  runtime rt({.workers = 1});
  rt.run([&] {
    struct cleaner {
      int& steps;
      ~cleaner() {
        this_fiber::sleep_for(1ms);
        ++steps;
        fiber helper([&] {
          this_fiber::yield();
          ++steps;
        });
        helper.join();
        ++steps;
        char c = 0;
        int ends[2];
        io::pipe(ends);
        io::write(ends[1], "x", 1);
        if (io::read(ends[0], &c, 1) == 1) ++steps;
        io::close(ends[0]);
        io::close(ends[1]);
      }
    };
    int steps = 0;
    stop_while_parked(rt, [&] {
      const cleaner clean{steps};
      this_fiber::sleep_for(1h);
      ADD_FAILURE() << "not reached";
    });
    EXPECT_EQ(steps, 4);
  });
}

TEST(cancel, a_catch_block_is_not_shielded) {
  runtime rt({.workers = 1});
  rt.run([&] {
    bool again = false;
    stop_while_parked(rt, [&] {
      try {
        this_fiber::sleep_for(1h);
      } catch (const operation_canceled& caught) {
        EXPECT_NE(caught.what(), nullptr);
        again = canceled([] { this_fiber::sleep_for(1h); });
      }
    });
    EXPECT_TRUE(again);
  });
}

TEST(cancel, is_no_std_exception) {
  static_assert(!std::is_base_of_v<std::exception, operation_canceled>);
  runtime rt({.workers = 1});
  rt.run([&] {
    bool swallowed = false;
    stop_while_parked(rt, [&] {
      try {
        this_fiber::sleep_for(1h);
      } catch (const std::exception&) {
        swallowed = true;
      }
    });
    EXPECT_FALSE(swallowed);
  });
}

TEST(cancel, request_stop_tells_the_first) {
  runtime rt({.workers = 2});
  rt.run([] {
    fiber f([](std::stop_token stop) { until([&] { return stop.stop_requested(); }); });
    EXPECT_TRUE(f.request_stop());
    EXPECT_FALSE(f.request_stop());
    f.join();
    EXPECT_FALSE(f.request_stop()) << "no fiber";
  });
}
}  // namespace
}  // namespace weft::test
