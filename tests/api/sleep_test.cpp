// Sleeping: never too short, in order of the deadlines, for any duration there
// is. No upper bounds: machines stall.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>
#include <random>
#include <vector>

#include "support/chaotic.hpp"
#include "support/places.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

class sleep : public anywhere {};
INSTANTIATE_TEST_SUITE_P(workers, sleep, places);

TEST_P(sleep, is_never_too_short) {
  run([] {
    for (const auto d : {1ns, 999ns, 10'000ns, 1'000'001ns, 3'000'000ns}) {
      const auto before = steady_clock::now();
      this_fiber::sleep_for(d);
      EXPECT_GE(steady_clock::now() - before, d);
    }
    const auto at = steady_clock::now() + 2ms;
    this_fiber::sleep_until(at);
    EXPECT_GE(steady_clock::now(), at);
    const auto wall = system_clock::now() + 2ms;
    this_fiber::sleep_until(wall);
    EXPECT_GE(system_clock::now(), wall);
    const auto before = steady_clock::now();
    this_fiber::sleep_for(std::chrono::duration<double, std::milli>(1.5));
    EXPECT_GE(steady_clock::now() - before, 1500us);
  });
}

TEST_P(sleep, of_nothing_returns_at_once) {
  run([] {
    this_fiber::sleep_for(0s);
    this_fiber::sleep_for(-1s);
    this_fiber::sleep_for(std::chrono::nanoseconds::min());
    this_fiber::sleep_for(std::chrono::hours::min());
    this_fiber::sleep_for(std::chrono::duration<double>(-1e300));
    this_fiber::sleep_for(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()));
    this_fiber::sleep_until(steady_clock::time_point::min());
    this_fiber::sleep_until(steady_clock::now() - 1h);
    this_fiber::sleep_until(system_clock::time_point());
  });
}

TEST(sleep_of_fibers, for_ever_is_ended_by_a_stop) {
  runtime rt({.workers = 2});
  rt.run([] {
    std::vector<fiber> sleepers;
    std::atomic<int> ended{0};
    const auto forever = [&](auto d) {
      sleepers.emplace_back([&, d] { ended += canceled([d] { this_fiber::sleep_for(d); }); });
    };
    forever(std::chrono::hours::max());
    forever(std::chrono::nanoseconds::max());
    forever(std::chrono::seconds::max());
    forever(std::chrono::duration<double>(1e300));
    forever(std::chrono::duration<double>(std::numeric_limits<double>::infinity()));
    forever(std::chrono::duration<long double, std::ratio<31556952>>(1e9L));
    sleepers.emplace_back([&] {
      ended += canceled([] { this_fiber::sleep_until(steady_clock::time_point::max()); });
    });
    this_fiber::sleep_for(2ms);
    EXPECT_EQ(ended, 0);
    sleepers.clear();
    EXPECT_EQ(ended, 7);
  });
}

// When the worker has not looked for a tick, the monitor expires what is due in its place, into
// another queue, and among deadlines that are due by then the two may overtake each other. So the
// order is judged if the worker was never kept from looking for long. Within one look the heap's
// order is kept (tests/unit/time).
TEST(sleep_of_fibers, wakes_in_order_of_the_deadlines) {
  runtime rt({.workers = 1});
  rt.run([] {
    std::vector<int> order(8);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
    std::shuffle(order.begin(), order.end(), std::mt19937(7));
    std::vector<int> woken;
    std::vector<fiber> fibers;
    auto last_turn = steady_clock::now();
    steady_clock::duration longest{0};     // between two turns of ours
    const auto start = last_turn + 100ms;  // all are armed before the first is due
    for (const int rank : order) {
      fibers.emplace_back([&, rank] {
        this_fiber::sleep_until(start + rank * 30ms);
        woken.push_back(rank);
      });
    }
    until([&] {
      const auto now = steady_clock::now();
      longest = std::max(longest, now - last_turn);
      last_turn = now;
      return woken.size() == order.size();
    });
    for (fiber& f : fibers) f.join();
    // Chaos mode makes two that are due by now change places.
    EXPECT_TRUE(chaotic() || longest > 10ms || std::is_sorted(woken.begin(), woken.end()));
  });
}

TEST(sleep_of_fibers, an_earlier_deadline_is_not_slept_over) {
  for (const unsigned workers : {1u, 2u, 4u}) {
    runtime rt({.workers = workers});
    rt.run([] {
      fiber late([] { canceled([] { this_fiber::sleep_for(1h); }); });
      this_fiber::sleep_for(1ms);  // every thread is idle meanwhile, one until in an hour
      for (int i = 0; i < 20; ++i) {
        std::vector<fiber> fibers;
        for (int k = 0; k < 4; ++k) {
          fibers.emplace_back([k] { this_fiber::sleep_for(std::chrono::microseconds(50 * k)); });
        }
        for (fiber& f : fibers) f.join();
      }
    });
  }
}

TEST(sleep_of_fibers, timers_fire_while_every_worker_computes) {
  runtime rt({.workers = 2});
  rt.run([] {
    std::atomic<bool> fired{false};
    fiber sleeper([&] {
      this_fiber::sleep_for(1ms);
      fired = true;
    });
    std::vector<fiber> busy;
    for (int i = 0; i < 4; ++i) busy.emplace_back([&] { until([&] { return fired.load(); }); });
    for (fiber& f : busy) f.join();
  });
}

TEST(sleep_of_fibers, many_short_ones) {
  for (const unsigned workers : {1u, 2u, 4u}) {
    runtime rt({.workers = workers});
    std::atomic<int> slept{0};
    rt.run([&] {
      std::vector<fiber> fibers;
      for (int i = 0; i < 500; ++i) {
        fibers.emplace_back([&, i] {
          for (int k = 0; k < 10; ++k) {
            this_fiber::sleep_for(std::chrono::microseconds((i * 7 + k * 13) % 300));
            ++slept;
          }
        });
      }
      for (fiber& f : fibers) f.join();
    });
    EXPECT_EQ(slept, 5000);
  }
}
}  // namespace
}  // namespace weft::test
