// fork_join: exceptions, and what stops whom.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <weft/fork_join.hpp>

#include "support/chaotic.hpp"
#include "support/fibers.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class fork_join_stop : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(all, fork_join_stop, testing::Values(1u, 2u, 4u),
                         testing::PrintToStringParamName());

template <class F>
int thrown_int(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (int n) {
    return n;
  }
  return -1;
}

TEST_P(fork_join_stop, rethrows_from_each_branch) {
  rt.run([] {
    for (int i = 0; i < times(30); ++i) {
      const auto quiet = [] {};
      EXPECT_EQ(thrown_int([&] { fork_join([] { throw 1; }, quiet, quiet); }), 1);
      EXPECT_EQ(thrown_int([&] {
                  fork_join(
                      quiet, [] { throw 2; }, quiet);
                }),
                2);
      EXPECT_EQ(thrown_int([&] { fork_join(quiet, quiet, [] { throw 3; }); }), 3);
      EXPECT_EQ(thrown_int([&] { fork_join(quiet, [&] { fork_join(quiet, [] { throw 4; }); }); }),
                4);
      const int any =
          thrown_int([&] { fork_join([] { throw 5; }, [] { throw 5; }, [] { throw 5; }); });
      EXPECT_EQ(any, 5);
    }
  });
}

TEST_P(fork_join_stop, nothing_runs_any_more_when_it_throws) {
  rt.run([] {
    for (int i = 0; i < times(100); ++i) {
      std::atomic<int> inside{0};
      const auto work = [&] {
        ++inside;
        for (int k = 0; k < 3; ++k) this_fiber::yield();
        --inside;
      };
      EXPECT_EQ(thrown_int([&] {
                  fork_join(
                      work, work,
                      [&] {
                        this_fiber::yield();
                        throw 1;
                      },
                      work);
                }),
                1);
      EXPECT_EQ(inside, 0);
    }
  });
}

// Also deep below, across several fibers, and also what the owner itself waits in.
TEST_P(fork_join_stop, a_failure_ends_the_siblings_waits) {
  rt.run([] {
    for (int i = 0; i < times(20); ++i) {
      std::atomic<int> waiting{0};
      std::atomic<int> ended{0};
      const auto wait = [&] {
        ++waiting;
        if (canceled([] { this_fiber::sleep_for(1h); })) ++ended;
      };
      const auto fails = [&] {
        until([&] { return waiting == 6; });
        throw 1;
      };
      const auto pair = [&] { fork_join(wait, wait); };
      EXPECT_EQ(thrown_int([&] { fork_join(wait, pair, fails, [&] { fork_join(pair, wait); }); }),
                1);
      EXPECT_EQ(ended, 6);
      // Over with the call.
      EXPECT_FALSE(canceled([] { this_fiber::sleep_for(1us); }));
    }
  });
}

TEST_P(fork_join_stop, a_cancellation_point_after_the_failure_throws) {
  rt.run([] {
    for (int i = 0; i < times(20); ++i) {
      std::atomic<bool> failing{false};
      std::atomic<bool> ended{false};
      EXPECT_EQ(thrown_int([&] {
                  fork_join(
                      [&] {
                        until([&] { return failing.load(); });
                        // The flag comes first, the stop a little later.
                        try {
                          for (;;) this_fiber::sleep_for(10us);
                        } catch (const operation_canceled&) {
                          ended = true;
                          throw;
                        }
                      },
                      [&] {
                        failing = true;
                        throw 1;
                      });
                }),
                1);
      EXPECT_TRUE(ended);
    }
  });
}

TEST_P(fork_join_stop, what_has_not_begun_is_skipped) {
  if (chaotic() || detail::thread_sanitizer) GTEST_SKIP() << "branches begin at once there";
  std::atomic<int> begun{0};
  rt.run([&] {
    for (int i = 0; i < 1000; ++i) {
      EXPECT_EQ(thrown_int([&] { fork_join([] { throw 1; }, [&] { ++begun; }, [&] { ++begun; }); }),
                1);
    }
  });
  if (GetParam() == 1) {
    EXPECT_EQ(begun, 0);
  } else {
    EXPECT_LT(begun, 2000);
  }
}

// A nested call's failure is over when it is caught: the bit must not stay, nor go with an outer
// failure.
TEST_P(fork_join_stop, a_caught_failure_stops_nobody_else) {
  rt.run([] {
    for (int i = 0; i < times(50); ++i) {
      std::atomic<int> finished{0};
      const auto survive = [&] {
        EXPECT_EQ(thrown_int([&] {
                    fork_join([&] { canceled([] { this_fiber::sleep_for(1h); }); },
                              [] {
                                this_fiber::yield();
                                throw 1;
                              });
                  }),
                  1);
        this_fiber::sleep_for(1us);
        ++finished;
      };
      fork_join(survive, survive, survive);
      EXPECT_EQ(finished, 3);
    }
  });
}

TEST_P(fork_join_stop, a_stop_of_the_caller_reaches_every_branch) {
  rt.run([] {
    for (int i = 0; i < times(20); ++i) {
      std::atomic<int> waiting{0};
      std::atomic<int> ended{0};
      const auto wait = [&] {
        ++waiting;
        const bool stopped = canceled([] { this_fiber::sleep_for(1h); });
        EXPECT_TRUE(stopped);
        // Sticky.
        EXPECT_TRUE(canceled([] { this_fiber::sleep_for(1h); }));
        ++ended;
      };
      fiber caller([&] { fork_join(wait, wait, [&] { fork_join(wait, wait); }); });
      until([&] { return waiting == 4; });
      caller.request_stop();
      caller.join();
      EXPECT_EQ(ended, 4);
    }
  });
}

TEST_P(fork_join_stop, a_stop_before_the_call_is_seen_in_every_branch) {
  rt.run([] {
    std::atomic<int> ended{0};
    const auto wait = [&] {
      if (canceled([] { this_fiber::sleep_for(1h); })) ++ended;
    };
    fiber caller([&] {
      until([] { return this_fiber::get_stop_token().stop_requested(); });
      fork_join(wait, wait, [&] { fork_join(wait, wait); });
    });
    caller.request_stop();
    caller.join();
    EXPECT_EQ(ended, 4);
  });
}

TEST_P(fork_join_stop, a_token_got_in_a_branch_tells_of_the_callers_stop) {
  rt.run([] {
    std::atomic<int> waiting{0};
    std::atomic<int> called{0};
    const auto wait = [&] {
      const std::stop_callback tell(this_fiber::get_stop_token(), [&] { ++called; });
      ++waiting;
      until([&] { return this_fiber::get_stop_token().stop_requested(); });
    };
    fiber caller([&] { fork_join(wait, [&] { fork_join(wait, wait); }); });
    until([&] { return waiting == 3; });
    caller.request_stop();
    caller.join();
    EXPECT_GE(called, 1);
    // A failure of a sibling does not stay in the token of a caller.
    fiber survivor([&] {
      EXPECT_EQ(thrown_int([] {
                  fork_join([] { canceled([] { this_fiber::sleep_for(1h); }); },
                            [] {
                              this_fiber::yield();
                              throw 1;
                            });
                }),
                1);
      EXPECT_FALSE(this_fiber::get_stop_token().stop_requested());
    });
    survivor.join();
  });
}

// A wait in a destructor that runs while an exception passes.
TEST_P(fork_join_stop, a_shielded_callers_branches_are_shielded) {
  rt.run([] {
    std::atomic<int> slept{0};
    struct closing {
      std::atomic<int>& slept;
      ~closing() {
        const auto sleep = [&] {
          this_fiber::sleep_for(1ms);
          ++slept;
        };
        fork_join(sleep, sleep, sleep);
      }
    };
    fiber caller([&] {
      const closing c{slept};
      this_fiber::sleep_for(1h);
    });
    caller.request_stop();
    caller.join();
    EXPECT_EQ(slept, 3);
  });
}

TEST_P(fork_join_stop, the_end_of_the_runtime_reaches_every_branch) {
  std::atomic<int> waiting{0};
  std::atomic<int> ended{0};
  {
    runtime ending({.workers = GetParam()});
    const auto wait = [&] {
      ++waiting;
      if (canceled([] { this_fiber::sleep_for(1h); })) ++ended;
    };
    fiber(on(ending), [&] { fork_join(wait, wait, wait); }).detach();
    until([&] { return waiting == 3; });
  }
  EXPECT_EQ(ended, 3);
}
}  // namespace
}  // namespace weft::test
