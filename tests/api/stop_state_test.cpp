// The std stop state of a fiber is made when it is first asked for, and agrees
// with request_stop at any time.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

TEST(stop_state, made_after_the_request_is_stopped_already) {
  runtime rt({.workers = 1});
  rt.run([] {
    bool inside = false;
    fiber f([&] {
      this_fiber::yield();
      inside = this_fiber::get_stop_token().stop_requested();
    });
    EXPECT_TRUE(f.request_stop());
    EXPECT_TRUE(f.get_stop_token().stop_requested());
    EXPECT_TRUE(f.get_stop_source().stop_requested());
    EXPECT_FALSE(f.get_stop_source().request_stop());
    f.join();
    EXPECT_TRUE(inside);
  });
}

TEST(stop_state, a_std_source_ends_the_fibers_waits) {
  runtime rt({.workers = 1});
  rt.run([&] {
    bool ended = false;
    fiber f([&] { ended = canceled([] { this_fiber::sleep_for(1h); }); });
    std::stop_source source = f.get_stop_source();
    until_parked(rt, 1);
    EXPECT_TRUE(source.request_stop());
    f.join();
    EXPECT_TRUE(ended);
    EXPECT_TRUE(source.stop_requested()) << "outlives the fiber";
  });
}

TEST(stop_state, tokens_outlive_the_fiber_and_do_not_see_its_successors) {
  runtime rt({.workers = 1});
  rt.run([] {
    std::vector<std::stop_token> old;
    for (int i = 0; i < 100; ++i) {
      fiber f([](std::stop_token) { this_fiber::yield(); });
      old.push_back(f.get_stop_token());
      for (std::size_t k = 0; k + 1 < old.size(); ++k) ASSERT_FALSE(old.back() == old[k]);
      if (i % 2) f.request_stop();
      f.join();
      EXPECT_EQ(old.back().stop_requested(), i % 2 == 1);
    }
    for (std::size_t i = 0; i < old.size(); ++i) EXPECT_EQ(old[i].stop_requested(), i % 2 == 1);
  });
}

TEST(stop_state, callbacks_run_once_in_the_requester) {
  runtime rt({.workers = 1});
  rt.run([] {
    int calls = 0;
    bool registered = false;
    fiber::id where;
    fiber f([&](std::stop_token stop) {
      const std::stop_callback callback(stop, [&] {
        ++calls;
        where = this_fiber::get_id();
      });
      registered = true;
      until([&] { return stop.stop_requested(); });
    });
    until([&] { return registered; });
    f.request_stop();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(where, this_fiber::get_id());
    f.request_stop();
    f.join();
    EXPECT_EQ(calls, 1);
  });
}

TEST(stop_state, a_callback_may_stop_other_fibers) {
  runtime rt({.workers = 2});
  rt.run([] {
    fiber second([] { this_fiber::sleep_for(1h); });
    fiber first([&](std::stop_token stop) {
      std::atomic<bool> called{false};
      const std::stop_callback pass_on(stop, [&] {
        second.request_stop();
        called = true;
      });
      EXPECT_TRUE(canceled([] { this_fiber::sleep_for(1h); }));
      // The sleep may end first, and a callback destroyed before its turn is not called.
      until([&] { return called.load(); });
    });
    this_fiber::yield();
    first.request_stop();
    first.join();
    second.join();
  });
}

TEST(stop_state, a_fiber_may_stop_itself) {
  runtime rt({.workers = 1});
  rt.run([] {
    bool ended = false;
    std::stop_source own(std::nostopstate);
    fiber f([&] {
      this_fiber::yield();
      EXPECT_TRUE(own.request_stop());
      ended = canceled([] { this_fiber::sleep_for(1h); });
    });
    own = f.get_stop_source();
    f.join();
    EXPECT_TRUE(ended);
  });
}

TEST(stop_state, on_a_kernel_thread_there_is_none) {
  EXPECT_FALSE(this_fiber::get_stop_token().stop_possible());
}

// The state is made by the fiber and asked for and stopped by others at the
// same time.
TEST(stop_state, made_by_several_at_once) {
  runtime rt({.workers = 2});
  for (int round = 0; round < 300; ++round) {
    std::atomic<bool> go{false}, seen{false};
    fiber f(on(rt), [&] {
      until([&] { return go.load(); });
      const std::stop_token stop = this_fiber::get_stop_token();
      until([&] { return stop.stop_requested(); });
      seen = true;
    });
    std::vector<std::thread> threads;
    std::atomic<int> stopped{0};
    threads.emplace_back([&] {
      until([&] { return go.load(); });
      f.request_stop();
    });
    threads.emplace_back([&] {
      until([&] { return go.load(); });
      const std::stop_token stop = f.get_stop_token();
      until([&] { return stop.stop_requested(); });
      ++stopped;
    });
    go = true;
    for (std::thread& t : threads) t.join();
    f.join();
    EXPECT_TRUE(seen);
    EXPECT_EQ(stopped, 1);
  }
}
}  // namespace
}  // namespace weft::test
