// The waits of condition_variable_any that a stop request ends.
#include <gtest/gtest.h>

#include <mutex>

#include "support/crew.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class conditions_any : public by_crew {};
INSTANTIATE_TEST_SUITE_P(crews, conditions_any, test::crews, name_of_crew);

TEST_P(conditions_any, ends_by_a_stop_request) {
  mutex guard;
  condition_variable_any changed;
  for (int round = 0; round < times(60); ++round) {
    std::stop_source source;
    std::atomic<int> ended{0};
    on_all(GetParam(), 5, [&](int i) {
      if (i == 0) {
        for (int k = round % 7; k > 0; --k) this_fiber::yield();
        source.request_stop();
        return;
      }
      std::unique_lock lock(guard);
      const std::stop_token token = source.get_token();
      bool result = true;
      if (i == 1) result = changed.wait(lock, token, [] { return false; });
      if (i == 2) result = changed.wait_for(lock, token, 1h, [] { return false; });
      if (i == 3) {
        const auto late = std::chrono::steady_clock::now() + 1h;
        result = changed.wait_until(lock, token, late, [] { return false; });
      }
      // The predicate is looked at once more.
      if (i == 4) result = !changed.wait(lock, token, [&] { return token.stop_requested(); });
      EXPECT_FALSE(result) << i;
      EXPECT_TRUE(lock.owns_lock());
      ++ended;
    });
    EXPECT_EQ(ended, 4);
    if (std::get<0>(GetParam()) != who::threads && round > 15) break;  // makes runtimes
  }
}

// Not inlined: with -Og gcc 12 takes libstdc++'s constructor for a use of what it makes.
[[gnu::noinline]] std::stop_source stopped_source() {
  std::stop_source source;
  source.request_stop();
  return source;
}

TEST(condition_any, with_a_token_that_was_stopped_before) {
  mutex guard;
  condition_variable_any changed;
  const std::stop_source source = stopped_source();
  std::unique_lock lock(guard);
  EXPECT_FALSE(changed.wait(lock, source.get_token(), [] { return false; }));
  EXPECT_TRUE(changed.wait(lock, source.get_token(), [] { return true; }));
  EXPECT_FALSE(changed.wait_for(lock, source.get_token(), 1h, [] { return false; }));
  EXPECT_FALSE(changed.wait_for(lock, std::stop_token(), 1ms, [] { return false; }));
  EXPECT_TRUE(changed.wait_for(lock, std::stop_token(), 1h, [] { return true; }));
}

// The fiber's own token: it returns the predicate, it does not throw.
TEST(condition_any, with_the_fibers_own_token) {
  for (const unsigned workers : {1u, 2u}) {
    runtime rt({.workers = workers});
    rt.run([&] {
      mutex guard;
      condition_variable_any changed;
      bool answer = true;
      fiber waiter([&](std::stop_token stop) {
        std::unique_lock lock(guard);
        answer = changed.wait(lock, stop, [] { return false; });
      });
      until_parked(rt, 1);
      waiter.request_stop();
      waiter.join();
      EXPECT_FALSE(answer);
    });
  }
}

TEST(condition_any, tells_of_an_unlock_that_throws) {
  struct throwing {
    void lock() {}
    void unlock() { throw 7; }
  } lock;
  condition_variable_any changed;
  EXPECT_THROW(changed.wait(lock), int);
  changed.notify_all();  // nobody is queued
}

}  // namespace
}  // namespace weft::test
