// std::condition_variable's meaning and condition_variable_any's, among fibers, kernel threads and
// both.
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <queue>
#include <shared_mutex>

#include "support/crew.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class conditions : public by_crew {};
INSTANTIATE_TEST_SUITE_P(crews, conditions, test::crews, name_of_crew);

template <class Condition, class Mutex>
void passes_every_item(const crew& c) {
  Mutex guard;
  Condition not_empty;
  Condition not_full;
  std::queue<int> items;
  const int each = times(500);
  long sum = 0;
  on_all(c, 6, [&](int i) {
    for (int k = 0; k < each; ++k) {
      std::unique_lock lock(guard);
      if (i % 2 == 0) {
        not_full.wait(lock, [&] { return items.size() < 3; });
        items.push(k);
        not_empty.notify_one();
      } else {
        while (items.empty()) not_empty.wait(lock);
        sum += items.front();
        items.pop();
        lock.unlock();
        not_full.notify_one();
      }
    }
  });
  EXPECT_EQ(sum, 3L * each * (each - 1) / 2);
}

TEST_P(conditions, pass_every_item) {
  passes_every_item<condition_variable, mutex>(GetParam());
}
TEST_P(conditions, any_with_a_mutex) {
  passes_every_item<condition_variable_any, mutex>(GetParam());
}
TEST_P(conditions, any_with_a_shared_mutex) {
  passes_every_item<condition_variable_any, shared_mutex>(GetParam());
}
TEST_P(conditions, any_with_a_recursive_mutex) {
  passes_every_item<condition_variable_any, recursive_mutex>(GetParam());
}

// A lock that parks when it is released, and counts.
struct slow_lock {
  mutex inner;
  std::atomic<int> depth{0};
  void lock() {
    inner.lock();
    this_fiber::yield();
    EXPECT_EQ(++depth, 1);
  }
  void unlock() {
    EXPECT_EQ(--depth, 0);
    this_fiber::yield();
    inner.unlock();
    this_fiber::yield();
  }
};

TEST_P(conditions, any_with_a_lock_that_parks) {
  passes_every_item<condition_variable_any, slow_lock>(GetParam());
}

template <class Condition>
void notify_all_wakes_all(const crew& c) {
  mutex guard;
  Condition changed;
  int waiting = 0;
  int phase = 0;
  constexpr int n = 150;  // more than one batch
  on_all(c, n + 1, [&](int i) {
    if (i > 0) {
      std::unique_lock lock(guard);
      for (int k = 1; k <= 3; ++k) {
        ++waiting;
        changed.wait(lock, [&] { return phase >= k; });
      }
      return;
    }
    for (int k = 1; k <= 3; ++k) {
      for (bool all = false; !all;) {
        this_fiber::yield();
        const std::lock_guard lock(guard);
        all = waiting == n * k;
      }
      const std::lock_guard lock(guard);
      phase = k;
      changed.notify_all();
    }
  });
  EXPECT_EQ(waiting, n * 3);
}

TEST_P(conditions, notify_all) {
  notify_all_wakes_all<condition_variable>(GetParam());
}
TEST_P(conditions, any_notify_all) {
  notify_all_wakes_all<condition_variable_any>(GetParam());
}

// A notification that meets a waiter whose time is up goes to another one, or it is not counted:
// as many are woken as were notified while enough waited.
template <class Condition>
void a_notification_is_not_lost_on_who_gives_up(const crew& c) {
  mutex guard;
  Condition changed;
  int tokens = 0;
  std::atomic<int> taken{0};
  std::atomic<bool> over{false};
  const int n = times(400);
  on_all(c, 5, [&](int i) {
    if (i == 0) {
      for (int k = 0; k < n; ++k) {
        {
          const std::lock_guard lock(guard);
          ++tokens;
        }
        changed.notify_one();
        if (k % 7 == 0) this_fiber::sleep_for(20us);
      }
      return;
    }
    choices random(static_cast<std::uint64_t>(i));
    // The first takes without a limit: what others leave it must get.
    while (taken < n) {
      std::unique_lock lock(guard);
      if (tokens == 0) {
        if (i == 1) {
          changed.wait_for(lock, 20ms);
        } else {
          changed.wait_for(lock, std::chrono::microseconds(random.below(40)));
        }
      }
      if (tokens > 0) {
        --tokens;
        ++taken;
      }
    }
  });
  EXPECT_EQ(taken, n);
}

TEST_P(conditions, a_notification_meets_a_timeout) {
  a_notification_is_not_lost_on_who_gives_up<condition_variable>(GetParam());
}
TEST_P(conditions, any_a_notification_meets_a_timeout) {
  a_notification_is_not_lost_on_who_gives_up<condition_variable_any>(GetParam());
}

// Exactly one wait ends for each notify_one.
template <class Condition>
void notify_one_wakes_one() {
  runtime rt({.workers = 1});
  rt.run([&] {
    mutex guard;
    Condition changed;
    std::string order;
    std::vector<fiber> all;
    for (char name = 'a'; name < 'e'; ++name) {
      all.emplace_back([&, name] {
        std::unique_lock lock(guard);
        changed.wait(lock);
        order += name;
      });
      until_parked(rt, all.size());
    }
    for (std::size_t n = 1; n <= 4; ++n) {
      changed.notify_one();
      until([&] { return order.size() == n; });
      for (int i = 0; i < 10; ++i) this_fiber::yield();
      EXPECT_EQ(order.size(), n) << order;
    }
    changed.notify_one();  // nobody waits: nothing is kept
    for (fiber& each : all) each.join();
    EXPECT_EQ(order, "abcd");
    std::unique_lock lock(guard);
    EXPECT_EQ(changed.wait_for(lock, 1ms), std::cv_status::timeout);
  });
}

TEST(condition, notify_one_wakes_who_has_waited_longest) {
  notify_one_wakes_one<condition_variable>();
  notify_one_wakes_one<condition_variable_any>();
}

// It is gone as soon as all have been notified; some are still on their way, some had a limit that
// passes at the same time.
template <class Condition>
void is_gone_when_all_are_notified(const crew& c) {
  mutex guard;
  Condition* shown = nullptr;
  std::atomic<int> round{0};
  int waiting = 0;
  const int rounds = times(100);
  on_all(c, 5, [&](int i) {
    choices random(static_cast<std::uint64_t>(i) + 1);
    for (int k = 1; k <= rounds; ++k) {
      if (i > 0) {
        until([&] { return round >= k; });
        std::unique_lock lock(guard);
        ++waiting;
        if (random.one_in(2)) {
          shown->wait(lock);
        } else {
          shown->wait_for(lock, std::chrono::microseconds(random.below(30)));
        }
        continue;
      }
      const auto mine = std::make_unique<Condition>();
      shown = mine.get();
      round = k;
      for (bool all = false; !all;) {
        this_fiber::yield();
        const std::lock_guard lock(guard);
        all = waiting == 4 * k;
        if (all) mine->notify_all();
      }
    }
  });
  EXPECT_EQ(waiting, 4 * rounds);
}

TEST_P(conditions, may_be_destroyed_when_all_are_notified) {
  is_gone_when_all_are_notified<condition_variable>(GetParam());
}
TEST_P(conditions, any_may_be_destroyed_when_all_are_notified) {
  is_gone_when_all_are_notified<condition_variable_any>(GetParam());
}

// Neither a stop request nor a deadline_scope ends it.
template <class Condition>
void is_no_cancellation_point() {
  runtime rt({.workers = 2});
  rt.run([&] {
    mutex guard;
    Condition changed;
    bool ready = false;
    fiber waiter([&] {
      const deadline_scope limit(1us);
      std::unique_lock lock(guard);
      changed.wait(lock, [&] { return ready; });
      EXPECT_TRUE(ready);
      ready = false;
    });
    until_parked(rt, 1);
    waiter.request_stop();
    for (int i = 0; i < 100; ++i) this_fiber::yield();
    {
      const std::lock_guard lock(guard);
      ready = true;
      changed.notify_all();
    }
    waiter.join();
    EXPECT_FALSE(ready);
  });
}

TEST(condition, is_no_cancellation_point) {
  is_no_cancellation_point<condition_variable>();
  is_no_cancellation_point<condition_variable_any>();
}

constinit condition_variable global_condition;
constinit condition_variable_any global_condition_any;

TEST(condition, globals_are_constant_initialised) {
  global_condition.notify_all();
  global_condition_any.notify_one();
}
}  // namespace
}  // namespace weft::test
