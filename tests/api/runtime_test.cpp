// Runtimes: made with options, run things, several at once, stopped, counted.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/chaotic.hpp"
#include "support/descriptors.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class runtime_on : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, runtime_on, testing::Values(1u, 2u, 3u, 4u, 8u));

TEST_P(runtime_on, has_the_workers_asked_for) {
  runtime rt({.workers = GetParam()});
  EXPECT_EQ(rt.workers(), GetParam());
  EXPECT_EQ(rt.stats().workers, GetParam());
  EXPECT_GE(rt.stats().threads, GetParam() + 1);
}

TEST_P(runtime_on, starts_and_ends_unused) {
  for (int i = 0; i < 30; ++i) runtime rt({.workers = GetParam()});
}

TEST_P(runtime_on, starts_and_ends_used_a_little) {
  for (int i = 0; i < times(100); ++i) {
    runtime rt({.workers = GetParam()});
    EXPECT_EQ(rt.run([i] { return i; }), i);
  }
}

TEST_P(runtime_on, run_returns_what_f_returns) {
  runtime rt({.workers = GetParam()});
  EXPECT_EQ(rt.run([](int a, int b) { return a - b; }, 5, 3), 2);
  EXPECT_EQ(*rt.run([] { return std::make_unique<int>(7); }), 7);
  int x = 0;
  int& same = rt.run([&]() -> int& { return x; });
  EXPECT_EQ(&same, &x);
  rt.run([&] { x = 3; });
  EXPECT_EQ(x, 3);
  const std::string text(1000, 'x');
  EXPECT_EQ(rt.run([](const std::string& s) { return s; }, text), text) << "by reference";
  std::unique_ptr<int> owned = std::make_unique<int>(1);
  EXPECT_EQ(rt.run([](std::unique_ptr<int> p) { return *p; }, std::move(owned)), 1);
  struct no_default {
    explicit no_default(int n) : value(n) {}
    int value;
  };
  EXPECT_EQ(rt.run([] { return no_default(4); }).value, 4);
}

TEST_P(runtime_on, run_rethrows_what_f_throws) {
  runtime rt({.workers = GetParam()});
  EXPECT_THROW(rt.run([] { throw std::out_of_range("x"); }), std::out_of_range);
  EXPECT_THROW(rt.run([] {
    this_fiber::yield();
    throw 5;
  }),
               int);
  EXPECT_THROW(rt.run([] { throw operation_canceled(); }), operation_canceled);
  EXPECT_EQ(rt.run([] { return 1; }), 1) << "usable afterwards";
}

TEST_P(runtime_on, run_in_a_fiber_parks_it) {
  runtime rt({.workers = GetParam()});
  EXPECT_EQ(rt.run([&] {
    const fiber::id outer = this_fiber::get_id();
    const auto [id, depth] = rt.run([&] {
      return std::pair(this_fiber::get_id(), rt.run([] { return run([] { return 3; }); }));
    });
    EXPECT_NE(id, outer);
    return depth;
  }),
            3);
}

TEST_P(runtime_on, run_from_many_threads) {
  runtime rt({.workers = GetParam()});
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) sum += rt.run([] { return 1; });
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(sum, 1200);
}

TEST_P(runtime_on, the_end_stops_what_is_left) {
  std::atomic<int> ended{0};
  {
    runtime rt({.workers = GetParam()});
    for (int i = 0; i < 200; ++i) {
      fiber(on(rt), [&, i] {
        switch (i % 4) {
          case 0:
            if (canceled([] { this_fiber::sleep_for(1h); })) ++ended;
            return;
          case 1: {
            const fd_pair p = make_pipe();
            char c;
            if (io::read(p[0], &c, 1) == -1) ++ended;
            return;
          }
          case 2:
            until([stop = this_fiber::get_stop_token()] { return stop.stop_requested(); });
            ++ended;
            return;
          default: {
            fiber inner([&] { canceled([] { this_fiber::sleep_for(1h); }); });
            if (canceled([&] { inner.join(); })) ++ended;
          }
        }
      }).detach();
    }
  }
  // A fourth kind may find its inner fiber ended first: both were asked to
  // stop.
  EXPECT_GE(ended, 150);
}

TEST_P(runtime_on, fibers_spawned_during_the_end_are_waited_for) {
  std::atomic<int> ended{0};
  {
    runtime rt({.workers = GetParam()});
    fiber(on(rt), [&] {
      canceled([] { this_fiber::sleep_for(1h); });
      for (int i = 0; i < 100; ++i) {
        fiber([&] {
          EXPECT_TRUE(this_fiber::get_stop_token().stop_requested());
          this_fiber::yield();
          ++ended;
        }).detach();
      }
    }).detach();
  }
  EXPECT_EQ(ended, 100);
}

TEST_P(runtime_on, shutdown_with_a_limit) {
  runtime rt({.workers = GetParam()});
  std::atomic<bool> stubborn{true};
  fiber_options options = on(rt);
  options.name = "stubborn";
  options.site = source_site::current();
  fiber f(options, [&] { until([&] { return !stubborn; }); });
  testing::internal::CaptureStderr();
  EXPECT_FALSE(rt.shutdown(0ns));
  EXPECT_FALSE(rt.shutdown(5ms));
  EXPECT_FALSE(rt.shutdown(-1h));
  const std::string dump = testing::internal::GetCapturedStderr();
  EXPECT_NE(dump.find("1 fibers have not ended"), std::string::npos) << dump;
  EXPECT_NE(dump.find("\"stubborn\""), std::string::npos) << dump;
  EXPECT_NE(dump.find("runtime_test.cpp"), std::string::npos) << "the spawn site: " << dump;
  stubborn = false;
  f.join();
  EXPECT_TRUE(rt.shutdown(1h));
  EXPECT_TRUE(rt.shutdown(0ns)) << "again";
}

TEST_P(runtime_on, several_at_once) {
  std::vector<std::unique_ptr<runtime>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(std::make_unique<runtime>(runtime_options{.workers = GetParam()}));
  }
  std::atomic<int> ended{0};
  all[0]->run([&] {
    std::vector<fiber> fibers;
    for (std::size_t i = 0; i < 200; ++i) {
      fibers.emplace_back(on(*all[i % 4]), [&, i] {
        this_fiber::sleep_for(10us);
        ended += all[(i + 1) % 4]->run([] { return 1; });
      });
    }
    for (fiber& f : fibers) f.join();
  });
  EXPECT_EQ(ended, 200);
  all[2].reset();
  EXPECT_EQ(all[3]->run([] { return 1; }), 1);
}

TEST_P(runtime_on, may_be_made_and_ended_in_a_fiber_of_another) {
  runtime outer({.workers = GetParam()});
  outer.run([] {
    for (int i = 0; i < 5; ++i) {
      runtime inner({.workers = 2});
      EXPECT_EQ(inner.run([] { return 5; }), 5);
      fiber(on(inner), [] { this_fiber::sleep_for(1h); }).detach();
    }
  });
}
}  // namespace
}  // namespace weft::test
