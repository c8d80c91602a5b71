// deadline_scope: every cancellation point inside it ends at its time.
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "support/descriptors.hpp"
#include "support/places.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using std::chrono::steady_clock;

template <class F>
bool exceeded(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const deadline_exceeded& error) {
    EXPECT_EQ(error.code(), std::errc::timed_out);
    EXPECT_STRNE(error.what(), "");
    return true;
  }
  return false;
}

class deadline : public anywhere {};
INSTANTIATE_TEST_SUITE_P(workers, deadline, places);

TEST_P(deadline, ends_a_sleep) {
  run([] {
    const auto before = steady_clock::now();
    EXPECT_TRUE(exceeded([] {
      const deadline_scope limit(3ms);
      this_fiber::sleep_for(1h);
    }));
    EXPECT_GE(steady_clock::now() - before, 3ms);
    this_fiber::sleep_for(1us);  // over, forgotten
  });
}

TEST_P(deadline, ends_a_join_and_the_joined_stays_joinable) {
  runtime other({.workers = 1});
  run([&] {
    fiber f(on(other), [](std::stop_token stop) { until([&] { return stop.stop_requested(); }); });
    EXPECT_TRUE(exceeded([&] {
      const deadline_scope limit(2ms);
      f.join();
    }));
    EXPECT_TRUE(f.joinable());
    f.request_stop();
    f.join();
  });
}

TEST_P(deadline, that_has_passed_is_seen_on_entry) {
  run([] {
    for (const auto limit : {0ns, -1ns, std::chrono::nanoseconds::min()}) {
      const deadline_scope scope(limit);
      EXPECT_TRUE(exceeded([] { this_fiber::sleep_for(0s); }));
      EXPECT_TRUE(exceeded([] { this_fiber::sleep_for(1h); }));
      EXPECT_TRUE(exceeded([] { this_fiber::sleep_until(steady_clock::now()); }));
      this_fiber::yield();  // no cancellation point
      EXPECT_EQ(blocking([] { return 1; }), 1);
    }
    const deadline_scope past(steady_clock::now() - 1h);
    EXPECT_TRUE(exceeded([] { this_fiber::sleep_for(0s); }));
  });
}

TEST_P(deadline, that_is_far_off_never_comes) {
  run([] {
    using std::chrono::duration;
    const deadline_scope a(std::chrono::hours::max());
    const deadline_scope b(duration<double>(1e300));
    const deadline_scope c(duration<double>{std::numeric_limits<double>::infinity()});
    const deadline_scope d(steady_clock::time_point::max());
    const deadline_scope e(std::chrono::system_clock::now() + 1h);
    const deadline_scope f(std::chrono::nanoseconds::max());
    this_fiber::sleep_for(1ms);
  });
}

TEST_P(deadline, the_earliest_of_nested_scopes_holds) {
  run([] {
    EXPECT_TRUE(exceeded([] {
      const deadline_scope outer(2ms);
      const deadline_scope inner(1h);
      this_fiber::sleep_for(1h);
    }));
    {
      const deadline_scope outer(1h);
      EXPECT_TRUE(exceeded([] {
        const deadline_scope inner(2ms);
        this_fiber::sleep_for(1h);
      }));
      this_fiber::sleep_for(1us);  // the outer one is in force again
    }
    EXPECT_TRUE(exceeded([] {
      const deadline_scope outer(2ms);
      EXPECT_TRUE(exceeded([] {
        const deadline_scope inner(1us);
        this_fiber::sleep_for(1h);
      }));
      this_fiber::sleep_for(1h);
    }));
  });
}

TEST_P(deadline, an_earlier_timeout_of_the_call_itself_is_the_calls) {
  run([] {
    const deadline_scope limit(1h);
    EXPECT_FALSE(exceeded([] { this_fiber::sleep_for(1ms); }));
    const fd_pair p = make_pipe();
    EXPECT_FALSE(io::wait_readable(p[0], 1ms));
    EXPECT_EQ(errno, ETIMEDOUT);
    pollfd one{p[0], POLLIN, 0};
    EXPECT_EQ(io::poll(&one, 1, 1), 0) << "poll's own limit is no error";
  });
}

TEST_P(deadline, destructors_wait_under_an_expired_scope) {
  run([] {
    int steps = 0;
    {
      runtime other({.workers = 1});
      const deadline_scope limit(0s);
      {
        fiber f(on(other), [&] {
          for (int i = 0; i < 10; ++i) this_fiber::yield();
          ++steps;
        });
      }
      EXPECT_EQ(steps, 1) << "the destructor's join is not subject to it";
      EXPECT_EQ(other.run([] { return 2; }), 2) << "nor is run";
    }
  });
}

TEST_P(deadline, is_not_inherited_by_spawned_fibers) {
  runtime other({.workers = 1});
  run([&] {
    const deadline_scope limit(0s);
    bool slept = false;
    {
      fiber f(on(other), [&] {
        this_fiber::sleep_for(1us);
        slept = true;
      });
      until([&] { return other.stats().fibers_alive == 0; });
    }
    EXPECT_TRUE(slept);
  });
}

TEST(deadline_of_fibers, cancellation_comes_first) {
  runtime rt({.workers = 1});
  rt.run([] {
    bool ended = false;
    fiber f([&] {
      const deadline_scope limit(0s);
      ended = canceled([] { this_fiber::sleep_for(0s); });
    });
    f.request_stop();
    f.join();
    EXPECT_TRUE(ended);
  });
}

TEST(deadline_of_fibers, thousands_expire) {
  runtime rt({.workers = 2});
  rt.run([] {
    std::atomic<int> expired{0};
    std::vector<fiber> fibers;
    for (int i = 0; i < 3000; ++i) {
      fibers.emplace_back([&, i] {
        if (exceeded([i] {
              const deadline_scope limit{std::chrono::microseconds(i)};
              this_fiber::sleep_for(1h);
            })) {
          ++expired;
        }
      });
    }
    for (fiber& f : fibers) f.join();
    EXPECT_EQ(expired, 3000);
  });
}
}  // namespace
}  // namespace weft::test
