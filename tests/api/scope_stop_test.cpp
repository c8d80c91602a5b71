// How a request to stop, and a deadline, reach the fibers of a scope.
#include <gtest/gtest.h>

#include <atomic>
#include <weft/cancel_shield.hpp>
#include <weft/deadline.hpp>
#include <weft/scope.hpp>

#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class stopped_scopes : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, stopped_scopes, testing::Values(1, 2, 4));

TEST_P(stopped_scopes, a_stop_of_the_joining_fiber_is_passed_on_and_the_wait_goes_on) {
  rt.run([] {
    std::atomic<int> waiting{0};
    bool all_had_ended = false;
    bool canceled_then = false;
    fiber owner([&] {
      std::atomic<int> ended{0};
      scope all;
      for (int i = 0; i < 10; ++i) {
        all.spawn([&] {
          ++waiting;
          if (!canceled([] { this_fiber::sleep_for(1h); })) return;
          const cancel_shield farewell;
          this_fiber::sleep_for(1ms);
          ++ended;
        });
      }
      all.join();
      all_had_ended = ended == 10;
      canceled_then = canceled([] { this_fiber::sleep_for(1h); });
    });
    until([&] { return waiting == 10; });
    owner.request_stop();
    owner.join();
    EXPECT_TRUE(all_had_ended);
    EXPECT_TRUE(canceled_then);
  });
}

TEST_P(stopped_scopes, a_stop_before_the_join_is_passed_on_as_well) {
  rt.run([] {
    bool stopped = false;
    fiber owner([&](std::stop_token asked) {
      until([&] { return asked.stop_requested(); });
      scope all;
      all.spawn([&] { stopped = canceled([] { this_fiber::sleep_for(1h); }); });
      all.join();
    });
    owner.request_stop();
    owner.join();
    EXPECT_TRUE(stopped);
  });
}

TEST_P(stopped_scopes, request_stop_reaches_all_also_those_to_come) {
  rt.run([] {
    scope all;
    std::atomic<int> stopped{0};
    const auto child = [&] {
      if (canceled([] { this_fiber::sleep_for(1h); })) ++stopped;
    };
    for (int i = 0; i < 100; ++i) all.spawn(child);
    EXPECT_FALSE(all.stop_requested());
    EXPECT_TRUE(all.request_stop());
    EXPECT_FALSE(all.request_stop());
    all.spawn(child);
    all.join();
    EXPECT_EQ(stopped, 101);
  });
}

TEST_P(stopped_scopes, tokens_and_callbacks_of_its_fibers_see_the_stop) {
  rt.run([] {
    scope all;
    std::atomic<int> waiting{0};
    std::atomic<int> told{0};
    for (int i = 0; i < 40; ++i) {
      all.spawn([&](std::stop_token asked) {
        // A callback may do what takes a lock: none of the scope's is held.
        const std::stop_callback tell(asked, [&] {
          all.request_stop();
          ++told;
        });
        ++waiting;
        until([&] { return asked.stop_requested(); });
      });
    }
    until([&] { return waiting == 40; });
    all.request_stop();
    all.join();
    EXPECT_EQ(told, 40);
  });
}

TEST_P(stopped_scopes, a_deadline_scope_is_inherited) {
  rt.run([] {
    scope all;
    {
      const deadline_scope limit(5ms);
      all.spawn([] { this_fiber::sleep_for(1h); });
    }
    EXPECT_THROW(all.join(), deadline_exceeded);
  });
}

}  // namespace
}  // namespace weft::test
