// Readers and writers: who may be inside with whom, who comes next, and that nobody starves.
#include <gtest/gtest.h>

#include <mutex>
#include <shared_mutex>

#include "support/crew.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class readers_and_writers : public by_crew {};
INSTANTIATE_TEST_SUITE_P(crews, readers_and_writers, test::crews, name_of_crew);

TEST_P(readers_and_writers, see_whole_values) {
  shared_timed_mutex guard;
  long left = 0;
  long right = 0;
  std::atomic<int> reading{0};
  std::atomic<long> written{0};
  on_all(GetParam(), 8, [&](int i) {
    choices random(static_cast<std::uint64_t>(i) + 1);
    for (int k = 0; k < times(400); ++k) {
      if (random.one_in(4)) {
        const bool limited = random.one_in(3);
        if (limited && !guard.try_lock_for(std::chrono::microseconds(random.below(40)))) continue;
        if (!limited) guard.lock();
        EXPECT_EQ(reading, 0);
        ++left;
        if (random.one_in(4)) this_fiber::yield();
        ++right;
        ++written;
        guard.unlock();
      } else {
        const bool limited = random.one_in(3);
        if (limited && !guard.try_lock_shared_for(std::chrono::microseconds(random.below(40))))
          continue;
        if (!limited) guard.lock_shared();
        ++reading;
        const long seen = left;
        if (random.one_in(4)) this_fiber::yield();
        EXPECT_EQ(seen, right);
        --reading;
        guard.unlock_shared();
      }
    }
  });
  EXPECT_EQ(left, written);
  EXPECT_TRUE(guard.try_lock());
  guard.unlock();
}

// As many readers inside at once as there are, more than one batch admits.
TEST_P(readers_and_writers, readers_are_inside_together) {
  constexpr int n = 150;
  shared_mutex guard;
  std::atomic<int> inside{0};
  latch waiting(n + 1);
  on_all(GetParam(), n + 1, [&](int i) {
    if (i > 0) {
      waiting.arrive_and_wait();  // by then the writer has it
      guard.lock_shared();
      ++inside;
      until([&] { return inside == n; });
      guard.unlock_shared();
      return;
    }
    guard.lock();
    waiting.arrive_and_wait();
    for (int k = 0; k < 20; ++k) this_fiber::yield();
    EXPECT_EQ(inside, 0);
    guard.unlock();
  });
  EXPECT_TRUE(guard.try_lock());
  guard.unlock();
}

// Readers come and go so that one is always inside: the writer gets its turn all the same.
TEST_P(readers_and_writers, a_writer_does_not_starve) {
  shared_mutex guard;
  std::atomic<bool> written{false};
  std::atomic<int> readers{0};
  on_all(GetParam(), 5, [&](int i) {
    if (i == 0) {
      until([&] { return readers > 0; });
      guard.lock();
      written = true;
      guard.unlock();
      return;
    }
    while (!written) {
      guard.lock_shared();
      ++readers;
      const int others = readers;
      for (int k = 0; k < 50 && readers == others && !written; ++k) this_fiber::yield();
      guard.unlock_shared();
    }
  });
  EXPECT_TRUE(written);
}

// -- the order, on one worker

struct line {
  runtime rt{{.workers = 1}};
  shared_timed_mutex guard;
  std::string order;
  std::vector<fiber> all;

  // By a fiber of rt. Each waits for what those before it hold or wait for.
  template <class F>
  void join_in(F f) {
    all.emplace_back(std::move(f));
    until_parked(rt, all.size());
  }
  void reader(char name) {
    join_in([this, name] {
      guard.lock_shared();
      order += name;
      this_fiber::yield();
      order += name;
      guard.unlock_shared();
    });
  }
  void writer(char name) {
    join_in([this, name] {
      guard.lock();
      order += name;
      this_fiber::yield();
      order += name;
      guard.unlock();
    });
  }
};

TEST(shared_mutex, is_served_in_order) {
  if (chaotic()) GTEST_SKIP() << "chaos mode: one reader may be done before the other begins";
  line l;
  l.rt.run([&] {
    l.guard.lock();
    l.reader('a');
    l.reader('b');
    l.writer('W');
    l.reader('c');
    l.writer('V');
    EXPECT_FALSE(l.guard.try_lock_shared());
    l.guard.unlock();
    for (fiber& each : l.all) each.join();
  });
  EXPECT_EQ(l.order.size(), 10u);
  const auto at = [&](char name) { return l.order.find(name); };
  const auto end = [&](char name) { return l.order.rfind(name); };
  EXPECT_LT(std::max(at('a'), at('b')), std::min(end('a'), end('b'))) << l.order << ": together";
  EXPECT_GT(at('W'), std::max(end('a'), end('b'))) << l.order;
  EXPECT_GT(at('c'), end('W')) << l.order << ": behind the writer that came before";
  EXPECT_GT(at('V'), end('c')) << l.order;
}

TEST(shared_mutex, newcomers_queue_behind_a_waiting_writer) {
  line l;
  l.rt.run([&] {
    l.guard.lock_shared();
    EXPECT_TRUE(l.guard.try_lock_shared());
    l.guard.unlock_shared();
    l.writer('W');
    EXPECT_FALSE(l.guard.try_lock_shared()) << "a writer waits";
    l.reader('a');
    l.guard.unlock_shared();
    for (fiber& each : l.all) each.join();
  });
  EXPECT_EQ(l.order, "WWaa");
}

// Readers behind a writer that gives up are let in by that, not only when the readers inside leave.
TEST(shared_mutex, who_gives_up_holds_nobody_up) {
  line l;
  l.rt.run([&] {
    l.guard.lock_shared();
    bool gave_up = false;  // already, where the machine kept us from looking for so long
    fiber writer([&] {
      EXPECT_FALSE(l.guard.try_lock_for(20ms));
      gave_up = true;
    });
    const auto until_waiting = [&](std::uint64_t count) {
      until([&] { return gave_up || l.rt.stats().fibers_parked >= count; });
    };
    until_waiting(1);
    bool inside = false;
    fiber reader([&] {
      const std::shared_lock lock(l.guard);
      inside = true;
    });
    until_waiting(2);
    EXPECT_TRUE(gave_up || !inside);
    writer.join();
    reader.join();
    EXPECT_TRUE(inside) << "while we are inside";
    EXPECT_TRUE(l.guard.try_lock_shared()) << "nobody waits any more";
    l.guard.unlock_shared();
    l.guard.unlock_shared();
    EXPECT_TRUE(l.guard.try_lock());
    l.guard.unlock();
  });
}

// The same when the last one in the queue gives up: nothing is left of it.
TEST(shared_mutex, who_gives_up_leaves_no_trace) {
  shared_timed_mutex guard;
  guard.lock_shared();
  std::thread([&] { EXPECT_FALSE(guard.try_lock_for(2ms)); }).join();
  std::thread([&] {
    EXPECT_TRUE(guard.try_lock_shared());
    guard.unlock_shared();
  }).join();
  guard.unlock_shared();
  guard.lock();
  std::thread([&] { EXPECT_FALSE(guard.try_lock_shared_for(2ms)); }).join();
  guard.unlock();
}

TEST_P(readers_and_writers, may_be_destroyed_by_the_last_one) {
  std::atomic<shared_mutex*> shown{nullptr};
  on_all(GetParam(), 2, [&](int i) {
    for (int k = 0; k < times(300); ++k) {
      if (i == 0) {
        auto* const mine = new shared_mutex;
        mine->lock();
        shown = mine;
        until([&] { return shown == nullptr; });  // the other one is about to lock
        mine->unlock();
      } else {
        shared_mutex* theirs = nullptr;
        until([&] { return (theirs = shown) != nullptr; });
        shown = nullptr;
        k % 2 == 0 ? theirs->lock() : theirs->lock_shared();
        k % 2 == 0 ? theirs->unlock() : theirs->unlock_shared();
        delete theirs;
      }
    }
  });
}
}  // namespace
}  // namespace weft::test
