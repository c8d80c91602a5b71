// All synchronisation objects at once, by fibers of two runtimes and kernel threads, with limits
// and stop requests at random: what was taken is what was given, and nobody is left waiting.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "support/stress.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

struct bank {
  mutex plain;
  timed_mutex timed;
  recursive_timed_mutex recursive;
  shared_timed_mutex shared;
  counting_semaphore<> units{3};
  mutex guard;
  condition_variable_any changed;
  condition_variable notified;
  long under_plain = 0, under_timed = 0, under_recursive = 0, left = 0, right = 0, tokens = 0;
  std::atomic<long> plain_done{0}, timed_done{0}, recursive_done{0}, written{0}, given{0}, taken{0};
  std::atomic<long> held{0};
};

std::chrono::microseconds some_time(choices& random) {
  return std::chrono::microseconds(random.below(60));
}

void one_step(bank& b, choices& random, const std::stop_token& stop) {
  switch (random.below(8)) {
    case 0: {
      const std::lock_guard lock(b.plain);
      if (random.one_in(8)) this_fiber::yield();
      ++b.under_plain;
      ++b.plain_done;
      break;
    }
    case 1: {
      const std::unique_lock lock(b.timed, some_time(random));
      if (!lock) break;
      ++b.under_timed;
      ++b.timed_done;
      if (random.one_in(4)) this_fiber::sleep_for(some_time(random));
      break;
    }
    case 2: {
      const std::unique_lock lock(b.recursive, some_time(random));
      if (!lock) break;
      const std::lock_guard again(b.recursive);
      ++b.under_recursive;
      ++b.recursive_done;
      break;
    }
    case 3: {
      const std::unique_lock lock(b.shared, some_time(random));
      if (!lock) break;
      ++b.left;
      if (random.one_in(4)) this_fiber::yield();
      ++b.right;
      ++b.written;
      break;
    }
    case 4: {
      const std::shared_lock lock(b.shared, some_time(random));
      if (!lock) break;
      const long seen = b.left;
      if (random.one_in(4)) this_fiber::yield();
      EXPECT_EQ(seen, b.right);
      break;
    }
    case 5: {
      if (random.one_in(2)) {
        if (!b.units.try_acquire_for(some_time(random))) break;
      } else {
        b.units.acquire();
      }
      EXPECT_LE(++b.held, 3);
      struct unit {
        bank& b;
        ~unit() {
          --b.held;
          b.units.release();
        }
      } const mine{b};
      if (random.one_in(2)) this_fiber::sleep_for(some_time(random));
      break;
    }
    case 6: {
      const std::lock_guard lock(b.guard);
      ++b.tokens;
      ++b.given;
      random.one_in(2) ? b.changed.notify_one() : b.changed.notify_all();
      b.notified.notify_one();
      break;
    }
    case 7: {
      std::unique_lock lock(b.guard);
      const auto any = [&] { return b.tokens > 0; };
      const bool got = random.one_in(2) ? b.changed.wait_for(lock, stop, some_time(random), any)
                                        : b.notified.wait_for(lock, some_time(random), any);
      if (!got) break;
      --b.tokens;
      ++b.taken;
      break;
    }
  }
}

TEST(sync_stress, what_was_taken_is_what_was_given) {
  for (const unsigned workers : {1u, 2u, 4u}) {
    const auto b = std::make_unique<bank>();
    choices random(seed() + workers);
    std::atomic<bool> over{false};
    {
      runtime one({.workers = workers});
      runtime other({.workers = 1});
      std::vector<fiber> fibers;
      std::vector<std::thread> threads;
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&, mine = random.split()]() mutable {
          while (!over) one_step(*b, mine, {});
        });
      }
      const auto make = [&](runtime& rt) {
        fibers.emplace_back(on(rt), [&, mine = random.split()](std::stop_token stop) mutable {
          while (!over) one_step(*b, mine, stop);
        });
      };
      for (int i = 0; i < 40; ++i) make(i % 4 == 3 ? other : one);
      for (const budget time; time.left() || b->plain_done == 0;) {
        // Some are stopped in the middle of it, and others take their place.
        const std::size_t which = random.below(static_cast<unsigned>(fibers.size()));
        fibers[which].request_stop();
        fibers[which].join();
        std::swap(fibers[which], fibers.back());
        fibers.pop_back();
        make(random.one_in(2) ? one : other);
      }
      over = true;
      for (fiber& each : fibers) each.join();
      for (std::thread& each : threads) each.join();
    }
    EXPECT_EQ(b->under_plain, b->plain_done);
    EXPECT_EQ(b->under_timed, b->timed_done);
    EXPECT_EQ(b->under_recursive, b->recursive_done);
    EXPECT_EQ(b->left, b->written);
    EXPECT_EQ(b->right, b->written);
    EXPECT_EQ(b->tokens, b->given - b->taken);
    EXPECT_EQ(b->held, 0);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(b->units.try_acquire());
    EXPECT_FALSE(b->units.try_acquire());
    EXPECT_GT(b->plain_done, 0);
  }
}
}  // namespace
}  // namespace weft::test
