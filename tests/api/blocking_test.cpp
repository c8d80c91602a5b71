// blocking(): while one fiber blocks its kernel thread, the others go on.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/kernel_gate.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

TEST(blocking, passes_results_through) {
  EXPECT_EQ(blocking([] { return 1; }), 1) << "on a kernel thread";
  runtime rt({.workers = 1});
  rt.run([] {
    EXPECT_EQ(blocking([] { return 2; }), 2);
    EXPECT_EQ(*blocking([] { return std::make_unique<int>(3); }), 3);
    int x = 0;
    int& same = blocking([&]() -> int& { return x; });
    EXPECT_EQ(&same, &x);
    blocking([&] { x = 4; });
    EXPECT_EQ(x, 4);
  });
}

TEST(blocking, passes_exceptions_through) {
  runtime rt({.workers = 1});
  rt.run([] {
    EXPECT_THROW(blocking([] { throw std::runtime_error("x"); }), std::runtime_error);
    EXPECT_THROW(blocking([] {
                   std::this_thread::sleep_for(20ms);  // long enough to lose the processor
                   throw 5;
                 }),
                 int);
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    EXPECT_EQ(std::current_exception(), nullptr);
  });
}

TEST(blocking, errno_survives_the_way_out) {
  runtime rt({.workers = 1});
  rt.run([] {
    fiber busy([](std::stop_token stop) { until([&] { return stop.stop_requested(); }); });
    for (int i = 0; i < 3; ++i) {
      blocking([&] {
        std::this_thread::sleep_for(i * 10ms);
        errno = 77 + i;
      });
      EXPECT_EQ(errno, 77 + i);
    }
  });
}

TEST(blocking, others_go_on_while_one_blocks) {
  runtime rt({.workers = 1});
  rt.run([] {
    kernel_gate g;
    int steps = 0;
    fiber opener([&] {  // on the same, only processor: must run for the gate to open
      for (; steps < 100; ++steps) this_fiber::yield();
      g.open();
    });
    blocking([&] { g.wait(); });
    EXPECT_EQ(steps, 100);
  });
}

TEST(blocking, timers_go_on_while_all_workers_block) {
  runtime rt({.workers = 2});
  rt.run([] {
    kernel_gate g;
    fiber one([&] { blocking([&] { g.wait(); }); });
    fiber two([&] { blocking([&] { g.wait(); }); });
    this_fiber::sleep_for(5ms);
    g.open();
  });
}

TEST(blocking, inside_it_the_fiber_is_a_kernel_thread) {
  runtime rt({.workers = 1});
  rt.run([&] {
    EXPECT_NE(this_fiber::get_id(), fiber::id());
    blocking([&] {
      EXPECT_EQ(this_fiber::get_id(), fiber::id());
      this_fiber::yield();
      this_fiber::sleep_for(2ms);
      EXPECT_FALSE(this_fiber::get_stop_token().stop_possible());
      EXPECT_EQ(rt.run([] { return 7; }), 7) << "blocks this thread, runs on a spare";
      fiber made(on(rt), [] { this_fiber::sleep_for(1ms); });
      made.join();
    });
    EXPECT_NE(this_fiber::get_id(), fiber::id());
  });
}

TEST(blocking, nests) {
  runtime rt({.workers = 1});
  rt.run([&] {
    EXPECT_EQ(blocking([] { return blocking([] { return blocking([] { return 3; }); }); }), 3);
    EXPECT_EQ(rt.stats().blocking_calls, 1u) << "the inner ones are a kernel thread's";
    EXPECT_EQ(rt.stats().blocking_inside, 0u);
  });
}

TEST(blocking, is_not_cancelled) {
  runtime rt({.workers = 1});
  rt.run([] {
    kernel_gate g;
    bool after = false;
    fiber f([&] {
      blocking([&] { g.wait(); });
      after = true;
    });
    this_fiber::yield();
    f.request_stop();
    g.open();
    f.join();
    EXPECT_TRUE(after);
  });
}

TEST(blocking, callers_beyond_the_cap_queue) {
  constexpr int callers = 7;
  runtime rt({.workers = 1, .max_blocking = 2});
  rt.run([&] {
    kernel_gate g;
    std::atomic<int> inside{0}, most{0};
    std::vector<int> order;
    std::vector<fiber> fibers;
    for (int i = 0; i < callers; ++i) {
      fibers.emplace_back([&, i] {
        blocking([&] {
          const int now = ++inside;
          int seen = most;
          while (seen < now && !most.compare_exchange_weak(seen, now)) {
          }
          g.wait();
          --inside;
        });
        order.push_back(i);
      });
    }
    until([&] { return rt.stats().blocking_waiting == callers - 2; });
    EXPECT_EQ(rt.stats().blocking_inside, 2u);
    fibers.back().request_stop();  // queueing is no cancellation point
    g.open();
    for (fiber& f : fibers) f.join();
    EXPECT_EQ(order.size(), std::size_t{callers});
    EXPECT_EQ(most, 2);
    EXPECT_EQ(rt.stats().blocking_waiting, 0u);
    EXPECT_EQ(rt.stats().blocking_inside, 0u);
  });
}

TEST(blocking, a_cap_of_one_serialises) {
  runtime rt({.workers = 2, .max_blocking = 1});
  rt.run([] {
    int unguarded = 0;
    std::vector<fiber> fibers;
    for (int i = 0; i < 50; ++i) {
      fibers.emplace_back([&, i] {
        for (int k = 0; k < 20; ++k) {
          blocking([&] {
            ++unguarded;
            if (i == 0 && k % 10 == 0) std::this_thread::sleep_for(3ms);
          });
        }
      });
    }
    for (fiber& f : fibers) f.join();
    EXPECT_EQ(unguarded, 1000);
  });
}
}  // namespace
}  // namespace weft::test
