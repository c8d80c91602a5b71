// Every wait with a limit: zero, past, near, far and overflowing, on every clock, from fibers and
// kernel threads.
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <mutex>

#include "support/places.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

class timed_wait : public anywhere {};
INSTANTIATE_TEST_SUITE_P(workers, timed_wait, testing::Values(0u, 1u, 2u, 4u));

// One kind of wait, by its three forms, of an object that lets nobody through until `release`.
struct timed_object {
  std::function<bool(std::chrono::nanoseconds)> wait_for;
  std::function<bool(std::chrono::duration<double>)> wait_for_seconds;
  std::function<bool(steady_clock::time_point)> wait_until;
  std::function<bool(system_clock::time_point)> wait_until_world;
  std::function<void()> let_through;  // by another fiber or thread, once
};

void keeps_its_limits(const timed_object& it) {
  // At once: zero, negative, past.
  const auto begin = steady_clock::now();
  EXPECT_FALSE(it.wait_for(0ns));
  EXPECT_FALSE(it.wait_for(-1ns));
  EXPECT_FALSE(it.wait_for(std::chrono::nanoseconds::min()));
  EXPECT_FALSE(it.wait_for_seconds(std::chrono::duration<double>(-1e300)));
  EXPECT_FALSE(it.wait_until(steady_clock::time_point::min()));
  EXPECT_FALSE(it.wait_until(begin));
  EXPECT_FALSE(it.wait_until_world(system_clock::now() - 1h));
  EXPECT_FALSE(it.wait_until_world(system_clock::time_point::min()));
  // Near: never early.
  for (const auto limit : {1us, 300us, 2000us}) {
    const auto before = steady_clock::now();
    EXPECT_FALSE(it.wait_for(limit));
    EXPECT_GE(steady_clock::now() - before, limit);
    const auto until = steady_clock::now() + limit;
    EXPECT_FALSE(it.wait_until(until));
    EXPECT_GE(steady_clock::now(), until);
    const auto world = system_clock::now() + limit;
    EXPECT_FALSE(it.wait_until_world(world));
    EXPECT_GE(system_clock::now(), world);
  }
}

// Far and overflowing: lets through, each time.
void waits_for_long(const timed_object& it) {
  using seconds = std::chrono::duration<double>;
  const std::function<bool()> waits[] = {
      [&] { return it.wait_for(1h); },
      [&] { return it.wait_for(std::chrono::nanoseconds::max()); },
      [&] { return it.wait_for_seconds(seconds(1e300)); },
      [&] { return it.wait_for_seconds(seconds(std::numeric_limits<double>::infinity())); },
      [&] { return it.wait_until(steady_clock::time_point::max()); },
      [&] { return it.wait_until_world(system_clock::now() + 1h); },
      [&] { return it.wait_until_world(system_clock::time_point::max()); },
  };
  for (const auto& wait : waits) {
    std::thread other(it.let_through);
    EXPECT_TRUE(wait());
    other.join();
  }
}

template <class Object, class For, class Until>
timed_object forms(For wait_for, Until wait_until, std::function<void()> let_through) {
  return {[=](auto limit) { return wait_for(limit); }, [=](auto limit) { return wait_for(limit); },
          [=](auto time) { return wait_until(time); }, [=](auto time) { return wait_until(time); },
          std::move(let_through)};
}

// A mutex is held by a thread of its own, which lets go and takes it again when asked to.
template <class Mutex>
struct held {
  Mutex guard;
  std::atomic<int> asked{0};
  std::atomic<int> holding{0};  // 1: it holds it; 2: is about to let go
  std::thread holder;

  held() {
    holder = std::thread([this] {
      guard.lock();
      holding = 1;
      for (;;) {
        while (asked == 0) std::this_thread::yield();
        if (asked == 2) break;
        holding = 2;
        guard.unlock();
        while (asked == 1) std::this_thread::yield();
        guard.lock();
        holding = 1;
      }
      guard.unlock();
    });
    until([&] { return holding == 1; });
  }
  void let_go() { asked = 1; }
  void take_back() {
    asked = 0;
    until([&] { return holding == 1; });
  }
  ~held() {
    asked = 2;
    holder.join();
  }
};

template <class Mutex>
timed_object lock_of(held<Mutex>& it) {
  const auto got = [&it](bool locked) {
    if (!locked) return false;
    it.guard.unlock();
    it.take_back();
    return true;
  };
  return forms<Mutex>([&it, got](auto limit) { return got(it.guard.try_lock_for(limit)); },
                      [&it, got](auto time) { return got(it.guard.try_lock_until(time)); },
                      [&it] { it.let_go(); });
}

timed_object shared_lock_of(held<shared_timed_mutex>& it) {
  const auto got = [&it](bool locked) {
    if (!locked) return false;
    it.guard.unlock_shared();
    it.take_back();
    return true;
  };
  return forms<shared_timed_mutex>(
      [&it, got](auto limit) { return got(it.guard.try_lock_shared_for(limit)); },
      [&it, got](auto time) { return got(it.guard.try_lock_shared_until(time)); },
      [&it] { it.let_go(); });
}

TEST_P(timed_wait, of_a_timed_mutex) {
  held<timed_mutex> it;
  run([&] { keeps_its_limits(lock_of(it)); });
  run([&] { waits_for_long(lock_of(it)); });
}
TEST_P(timed_wait, of_a_recursive_timed_mutex) {
  held<recursive_timed_mutex> it;
  run([&] { keeps_its_limits(lock_of(it)); });
  run([&] { waits_for_long(lock_of(it)); });
}
TEST_P(timed_wait, of_a_shared_timed_mutex) {
  held<shared_timed_mutex> it;
  run([&] { keeps_its_limits(lock_of(it)); });
  run([&] { waits_for_long(lock_of(it)); });
}
TEST_P(timed_wait, of_a_shared_timed_mutex_shared) {
  held<shared_timed_mutex> it;
  run([&] { keeps_its_limits(shared_lock_of(it)); });
  run([&] { waits_for_long(shared_lock_of(it)); });
}

TEST_P(timed_wait, of_a_semaphore) {
  counting_semaphore<> units(0);
  const auto it = forms<counting_semaphore<>>(
      [&](auto limit) { return units.try_acquire_for(limit); },
      [&](auto time) { return units.try_acquire_until(time); }, [&] { units.release(); });
  run([&] { keeps_its_limits(it); });
  run([&] { waits_for_long(it); });
  EXPECT_FALSE(units.try_acquire());
}

TEST_P(timed_wait, of_an_event) {
  event flag;
  const auto taken = [&](bool set) {
    if (set) flag.reset();
    return set;
  };
  const auto it = forms<event>([&, taken](auto limit) { return taken(flag.wait_for(limit)); },
                               [&, taken](auto time) { return taken(flag.wait_until(time)); },
                               [&] { flag.set(); });
  run([&] { keeps_its_limits(it); });
  run([&] { waits_for_long(it); });
}

// Of a condition variable: whether it was notified, with the lock held again each time.
template <class Condition>
struct noticed {
  mutex guard;
  Condition changed;
  bool on = false;

  timed_object forms() {
    return test::forms<Condition>(
        [this](auto limit) {
          std::unique_lock lock(guard);
          const bool by_predicate = changed.wait_for(lock, limit, [this] { return on; });
          EXPECT_TRUE(lock.owns_lock() && !guard.try_lock());
          if (!by_predicate) {
            EXPECT_EQ(changed.wait_for(lock, limit), std::cv_status::timeout);
          }
          return std::exchange(on, false);
        },
        [this](auto time) {
          std::unique_lock lock(guard);
          const bool by_predicate = changed.wait_until(lock, time, [this] { return on; });
          EXPECT_TRUE(lock.owns_lock() && !guard.try_lock());
          if (!by_predicate) {
            EXPECT_EQ(changed.wait_until(lock, time), std::cv_status::timeout);
          }
          return std::exchange(on, false);
        },
        [this] {
          const std::lock_guard lock(guard);
          on = true;
          changed.notify_one();
        });
  }
};

TEST_P(timed_wait, of_a_condition_variable) {
  noticed<condition_variable> it;
  run([&] { keeps_its_limits(it.forms()); });
  run([&] { waits_for_long(it.forms()); });
}
TEST_P(timed_wait, of_a_condition_variable_any) {
  noticed<condition_variable_any> it;
  run([&] { keeps_its_limits(it.forms()); });
  run([&] { waits_for_long(it.forms()); });
}
}  // namespace
}  // namespace weft::test
