// What every mutex promises, among fibers, kernel threads and both.
#include <gtest/gtest.h>

#include <mutex>
#include <shared_mutex>

#include "support/crew.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class mutexes : public by_crew {};
INSTANTIATE_TEST_SUITE_P(crews, mutexes, test::crews, name_of_crew);

// A plain counter, and a flag that says that somebody is inside.
template <class Mutex>
void counts(const crew& c) {
  Mutex guard;
  long count = 0;
  bool inside = false;
  constexpr int n = 6;
  const int rounds = times(2000);
  on_all(c, n, [&](int i) {
    choices random(static_cast<std::uint64_t>(i) + 1);
    for (int k = 0; k < rounds; ++k) {
      if (random.one_in(8)) {
        while (!guard.try_lock()) this_fiber::yield();
      } else {
        guard.lock();
      }
      ASSERT_FALSE(std::exchange(inside, true));
      if (random.one_in(64)) this_fiber::yield();  // a lock is held across parks
      ++count;
      inside = false;
      guard.unlock();
      if (random.one_in(16)) this_fiber::yield();
    }
  });
  EXPECT_EQ(count, long{n} * rounds);
}

TEST_P(mutexes, exclude) {
  counts<mutex>(GetParam());
}
TEST_P(mutexes, timed_exclude) {
  counts<timed_mutex>(GetParam());
}
TEST_P(mutexes, recursive_exclude) {
  counts<recursive_mutex>(GetParam());
}
TEST_P(mutexes, recursive_timed_exclude) {
  counts<recursive_timed_mutex>(GetParam());
}
TEST_P(mutexes, shared_exclude) {
  counts<shared_mutex>(GetParam());
}
TEST_P(mutexes, shared_timed_exclude) {
  counts<shared_timed_mutex>(GetParam());
}

// Whoever waits with a limit comes and goes among those that do not.
TEST_P(mutexes, timed_attempts_among_others) {
  timed_mutex guard;
  long count = 0;
  std::atomic<long> taken{0};
  on_all(GetParam(), 6, [&](int i) {
    choices random(static_cast<std::uint64_t>(i) + 1);
    for (int k = 0; k < times(500); ++k) {
      const auto limit = std::chrono::microseconds(random.below(60));
      if (i % 2 == 0 ? guard.try_lock_for(limit) : (guard.lock(), true)) {
        ++count;
        ++taken;
        if (random.one_in(4)) this_fiber::yield();
        guard.unlock();
      }
    }
  });
  EXPECT_EQ(count, taken);
  EXPECT_TRUE(guard.try_lock());
  guard.unlock();
}

TEST_P(mutexes, recursive_is_free_when_unlocked_as_often) {
  recursive_mutex guard;
  on_all(GetParam(), 4, [&](int) {
    for (int k = 0; k < times(200); ++k) {
      for (int depth = 0; depth < 3; ++depth) guard.lock();
      EXPECT_TRUE(guard.try_lock());
      this_fiber::yield();
      for (int depth = 0; depth < 4; ++depth) guard.unlock();
    }
  });
  EXPECT_TRUE(guard.try_lock());
  guard.unlock();
}

TEST_P(mutexes, work_with_std_locks) {
  mutex a;
  mutex b;
  int count = 0;
  on_all(GetParam(), 4, [&](int i) {
    for (int k = 0; k < times(300); ++k) {
      if (i % 2 == 0) {
        const std::scoped_lock both(a, b);  // in any order: std::lock
        ++count;
      } else {
        const std::scoped_lock both(b, a);
        ++count;
      }
    }
  });
  EXPECT_EQ(count, 4 * times(300));
}

template <class Mutex>
void refuses_its_owner(Mutex& guard) {
  const std::unique_lock lock(guard);
  EXPECT_FALSE(guard.try_lock());
  const thrown error = thrown_by([&] { guard.lock(); });
  EXPECT_EQ(error.code, std::errc::resource_deadlock_would_occur);
  EXPECT_NE(error.text.find("already"), std::string::npos) << error.text;
}

TEST(mutex, that_is_locked_twice_throws) {
  const auto all = [] {
    mutex plain;
    refuses_its_owner(plain);
    timed_mutex timed;
    refuses_its_owner(timed);
    shared_mutex shared;
    refuses_its_owner(shared);
    const std::unique_lock lock(shared);
    EXPECT_EQ(thrown_by([&] { shared.lock_shared(); }).code,
              std::errc::resource_deadlock_would_occur);
  };
  all();
  run(all);
}

TEST(mutex, recursive_counts_no_further_than_it_can) {
  // Depths cannot be reached one by one in a test; that they are counted is shown by mutexes.
  recursive_timed_mutex guard;
  const std::lock_guard outer(guard);
  EXPECT_TRUE(guard.try_lock_for(0s));
  EXPECT_TRUE(guard.try_lock_until(std::chrono::steady_clock::now()));
  guard.unlock();
  guard.unlock();
  std::thread other([&] { EXPECT_FALSE(guard.try_lock_for(1ms)); });
  other.join();
}

TEST(mutex, belongs_to_the_fiber_and_not_to_its_thread) {
  runtime rt({.workers = 1});
  rt.run([] {
    mutex guard;
    guard.lock();
    fiber other([&] { EXPECT_FALSE(guard.try_lock()) << "the same kernel thread"; });
    other.join();
    guard.unlock();
  });
}

// A stop request does not end it, nor does a deadline_scope.
TEST(mutex, is_no_cancellation_point) {
  runtime rt({.workers = 2});
  rt.run([&] {
    mutex guard;
    std::unique_lock lock(guard);
    std::atomic<int> got{0};
    fiber stopped([&] {
      guard.lock();
      ++got;
      guard.unlock();
      guard.lock();  // asked to stop by now
      guard.unlock();
      EXPECT_TRUE(canceled([] { this_fiber::sleep_for(0s); }));
    });
    fiber late([&] {
      const deadline_scope limit(1us);
      guard.lock();
      ++got;
      guard.unlock();
    });
    until_parked(rt, 2);
    stopped.request_stop();
    for (int i = 0; i < 100; ++i) this_fiber::yield();
    EXPECT_EQ(got, 0);
    lock.unlock();
    stopped.join();
    late.join();
    EXPECT_EQ(got, 2);
  });
}

constinit mutex global;
constinit timed_mutex global_timed;
constinit recursive_mutex global_recursive;
constinit recursive_timed_mutex global_recursive_timed;
constinit shared_mutex global_shared;
constinit shared_timed_mutex global_shared_timed;

TEST(mutex, globals_are_constant_initialised) {
  const std::scoped_lock all(global, global_timed, global_recursive, global_recursive_timed,
                             global_shared, global_shared_timed);
  EXPECT_FALSE(global.try_lock());
}

// Whoever has locked it last destroys it, while the one before is still inside unlock().
TEST_P(mutexes, may_be_destroyed_by_the_next_owner) {
  for (int round = 0; round < times(300); ++round) {
    struct shared_state {
      mutex guard;
      int left = 3;
    };
    auto* state = new shared_state;
    on_all(GetParam(), 3, [&](int) {
      state->guard.lock();
      const bool last = --state->left == 0;
      state->guard.unlock();
      if (last) delete state;
    });
    if (std::get<0>(GetParam()) != who::threads && round > 20) break;  // makes runtimes
  }
}
}  // namespace
}  // namespace weft::test
