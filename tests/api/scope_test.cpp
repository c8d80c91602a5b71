// No fiber of a scope outlives it; its failures arrive once, at the one who joins.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include <weft/scope.hpp>

#include "support/death.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class scopes : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, scopes, testing::Values(1, 2, 4));

TEST_P(scopes, join_sees_all_that_its_fibers_did) {
  rt.run([] {
    for (int round = 0; round < 200; ++round) {
      std::array<int, 20> results{};  // unguarded
      scope all;
      for (int i = 0; i < 20; ++i) {
        all.spawn([&results, i] {
          if (i % 3 == 0) this_fiber::yield();
          results[static_cast<std::size_t>(i)] = i + 1;
        });
      }
      all.join();
      for (int i = 0; i < 20; ++i) ASSERT_EQ(results[static_cast<std::size_t>(i)], i + 1);
    }
  });
}

// A detached fiber gets the block of a former child, and has a scope where that one's scope was.
TEST(scope, where_another_one_was_has_other_children) {
  runtime rt({.workers = 1});
  rt.run([] {
    for (int round = 0; round < 20; ++round) {
      int done = 0;
      const auto work = [&done] {
        scope all;
        all.spawn([] {});
        all.join();
        ++done;
      };
      fiber(work).detach();
      until([&] { return done == 1; });
      for (int i = 0; i < 10; ++i) this_fiber::yield();
      const fiber takes_the_block_of_the_first([] {});
      fiber(work).detach();
      until([&] { return done == 2; });
    }
  });
}

TEST_P(scopes, is_used_again_after_a_join) {
  rt.run([] {
    scope all;
    all.join();  // nothing to wait for
    std::atomic<int> ran{0};
    for (int round = 1; round <= 3; ++round) {
      for (int i = 0; i < 10; ++i) all.spawn([&] { ++ran; });
      all.join();
      EXPECT_EQ(ran, 10 * round);
    }
  });
}

TEST_P(scopes, fibers_spawn_into_their_own_scope) {
  rt.run([] {
    scope all;
    std::atomic<int> ran{0};
    struct tree {
      static void grow(scope& in, std::atomic<int>& ran, int depth) {
        ++ran;
        if (depth == 0) return;
        for (int i = 0; i < 2; ++i) in.spawn([&in, &ran, depth] { grow(in, ran, depth - 1); });
      }
    };
    all.spawn([&] { tree::grow(all, ran, 9); });
    all.join();
    EXPECT_EQ(ran, 1023);
  });
}

TEST_P(scopes, the_first_exception_stops_the_others_and_is_rethrown_once) {
  rt.run([] {
    scope all;
    std::atomic<int> stopped{0};
    for (int i = 0; i < 50; ++i) {
      all.spawn([&] {
        if (canceled([] { this_fiber::sleep_for(1h); })) ++stopped;
        throw operation_canceled();  // it was asked to: no failure
      });
    }
    all.spawn([] { throw std::runtime_error("the first"); });
    try {
      all.join();
      FAIL() << "joined";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "the first");
    }
    EXPECT_EQ(stopped, 50);
    EXPECT_TRUE(all.stop_requested());
    all.join();
  });
}

TEST_P(scopes, a_child_that_throws_operation_canceled_unasked_has_failed) {
  rt.run([] {
    scope all;
    all.spawn([] { throw operation_canceled(); });
    EXPECT_TRUE(canceled([&] { all.join(); }));
  });
}

TEST_P(scopes, later_exceptions_are_dropped) {
  rt.run([] {
    scope all;
    for (int i = 0; i < 10; ++i) {
      all.spawn([] {
        this_fiber::yield();
        throw std::runtime_error("one of many");
      });
    }
    EXPECT_THROW(all.join(), std::runtime_error);
  });
}

TEST_P(scopes, the_destructor_stops_and_waits) {
  rt.run([] {
    std::atomic<int> ended{0};
    {
      scope all;
      for (int i = 0; i < 20; ++i) {
        all.spawn([&] {
          if (canceled([] { this_fiber::sleep_for(1h); })) ++ended;
        });
      }
    }
    EXPECT_EQ(ended, 20);
  });
}

TEST_P(scopes, an_exception_that_unwinds_the_scope_comes_first) {
  rt.run([] {
    EXPECT_THROW(
        {
          scope all;
          all.spawn([] { throw std::logic_error("the child's"); });
          this_fiber::sleep_for(1ms);
          throw std::runtime_error("the body's");
        },
        std::runtime_error);
  });
}

TEST_P(scopes, from_kernel_threads_on_the_default_runtime) {
  std::thread([] {
    scope all;
    std::atomic<int> ran{0};
    for (int i = 0; i < 10; ++i) {
      all.spawn([&] {
        this_fiber::yield();
        if (this_fiber::get_id() != fiber::id()) ++ran;
      });
    }
    all.join();
    EXPECT_EQ(ran, 10);
  }).join();
}

TEST_P(scopes, callables_of_any_size_and_kind) {
  rt.run([] {
    scope all;
    std::array<char, 200> large{};
    large[199] = 'x';
    auto only = std::make_unique<int>(7);
    std::atomic<int> right{0};
    all.spawn([large, &right] { right += large[199] == 'x'; });
    all.spawn([only = std::move(only), &right] { right += *only == 7; });
    all.spawn([&right](std::stop_token asked, int n) { right += asked.stop_possible() && n == 3; },
              3);
    all.spawn([&right](const std::string& text, int n) { right += text == "ab" && n == 4; },
              std::string("ab"), 4);
    all.join();
    EXPECT_EQ(right, 4);
  });
}

// The callable, which may hold the last of something, is gone before the scope is.
TEST_P(scopes, callables_are_destroyed_before_the_join_is_over) {
  rt.run([] {
    for (int i = 0; i < 300; ++i) {
      const auto held = std::make_shared<int>(i);
      scope all;
      all.spawn([held] {});
      all.spawn([held, large = std::array<char, 100>{}] { static_cast<void>(large); });
      all.join();
      ASSERT_EQ(held.use_count(), 1);
    }
  });
}

TEST_P(scopes, what_a_copy_throws_is_the_spawners) {
  struct throws_when_copied {
    throws_when_copied() = default;
    throws_when_copied(const throws_when_copied&) { throw std::runtime_error("copied"); }
    void operator()() const {}
  };
  rt.run([&] {
    scope all;
    const throws_when_copied f;
    EXPECT_THROW(all.spawn(f), std::runtime_error);
    all.join();
  });
  EXPECT_EQ(rt.stats().fibers_alive, 0u);
}

using scope_death = faults_in_a_child;

TEST_F(scope_death, an_exception_that_nobody_received_ends_the_process) {
  EXPECT_DEATH(
      weft::run([] {
        scope all;
        all.spawn([] { throw std::runtime_error("lost"); });
        this_fiber::sleep_for(1ms);
      }),
      "weft::scope at 0x[0-9a-f]+: nobody has received what a fiber of it has thrown: lost");
}

TEST_F(scope_death, two_who_join_at_the_same_time_are_told) {
  EXPECT_DEATH(
      {
        ::alarm(20);
        runtime rt({.workers = 2});
        rt.run([] {
          event over;
          scope all;
          all.spawn([&] { over.wait(); });
          std::atomic<int> there{0};
          const auto join = [&] {
            ++there;
            until([&] { return there == 2; });
            all.join();
          };
          fiber one(join);
          fiber two(join);
          one.join();
          two.join();
        });
      },
      "weft::scope at 0x[0-9a-f]+: joined by two at a time");
}
}  // namespace
}  // namespace weft::test
