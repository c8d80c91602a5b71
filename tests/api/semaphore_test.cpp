// std::counting_semaphore's meaning, among fibers, kernel threads and both.
#include <gtest/gtest.h>

#include <numeric>

#include "support/crew.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class semaphores : public by_crew {};
INSTANTIATE_TEST_SUITE_P(crews, semaphores, test::crews, name_of_crew);

TEST_P(semaphores, let_in_no_more_than_there_are_units) {
  counting_semaphore<3> places(3);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  on_all(GetParam(), 8, [&](int i) {
    for (int k = 0; k < times(500); ++k) {
      places.acquire();
      const int now = ++inside;
      EXPECT_LE(now, 3);
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      if ((k + i) % 8 == 0) this_fiber::yield();
      --inside;
      places.release();
    }
  });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(places.try_acquire());
  EXPECT_FALSE(places.try_acquire());
  EXPECT_GE(most, 1);
}

// A buffer of four between producers and consumers: every item once.
TEST_P(semaphores, pass_every_item_once) {
  constexpr int capacity = 4;
  const int each = times(600);
  counting_semaphore<> free_places(capacity);
  counting_semaphore<> items(0);
  mutex guard;
  std::vector<int> ring;
  std::atomic<long> sum{0};
  on_all(GetParam(), 8, [&](int i) {
    for (int k = 0; k < each; ++k) {
      if (i < 4) {
        free_places.acquire();
        {
          const std::lock_guard lock(guard);
          ring.push_back(i * each + k);
          ASSERT_LE(ring.size(), std::size_t{capacity});
        }
        items.release();
      } else {
        items.acquire();
        {
          const std::lock_guard lock(guard);
          sum += ring.back();
          ring.pop_back();
        }
        free_places.release();
      }
    }
  });
  const long n = 4L * each;
  EXPECT_EQ(sum, n * (n - 1) / 2);
}

TEST_P(semaphores, conserve_units_among_timed_attempts) {
  counting_semaphore<> units(2);
  std::atomic<long> taken{0};
  on_all(GetParam(), 6, [&](int i) {
    choices random(static_cast<std::uint64_t>(i) + 1);
    for (int k = 0; k < times(400); ++k) {
      const auto limit = std::chrono::microseconds(random.below(50));
      if (random.one_in(3) ? units.try_acquire() : units.try_acquire_for(limit)) {
        ++taken;
        if (random.one_in(2)) this_fiber::yield();
        units.release();
      }
    }
  });
  EXPECT_TRUE(units.try_acquire());
  EXPECT_TRUE(units.try_acquire());
  EXPECT_FALSE(units.try_acquire());
}

// Many are served at once: more threads and fibers than one batch holds.
TEST_P(semaphores, release_of_many_serves_many) {
  counting_semaphore<> units(0);
  counting_semaphore<> arrived(0);
  constexpr int n = 200;
  on_all(GetParam(), n + 1, [&](int i) {
    if (i > 0) {
      arrived.release();
      units.acquire();
      return;
    }
    for (int k = 0; k < n; ++k) arrived.acquire();
    units.release(n + 3);
  });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(units.try_acquire()) << i;
  EXPECT_FALSE(units.try_acquire());
}

// Who has acquired destroys it, while release() is still inside.
TEST_P(semaphores, may_be_destroyed_by_who_was_served) {
  const crew c = GetParam();
  on_all(c, 2, [&](int i) {
    static std::atomic<binary_semaphore*> shown{nullptr};
    for (int k = 0; k < times(300); ++k) {
      if (i == 0) {
        auto* const mine = new binary_semaphore(0);
        shown = mine;
        mine->acquire();
        delete mine;
      } else {
        binary_semaphore* theirs = nullptr;
        while (!(theirs = shown.exchange(nullptr))) this_fiber::yield();
        theirs->release();
      }
    }
  });
}

TEST(semaphore, serves_in_order) {
  runtime rt({.workers = 1});
  rt.run([&] {
    std::string order;
    counting_semaphore<> units(0);
    std::vector<fiber> all;
    for (char name = 'a'; name < 'f'; ++name) {
      all.emplace_back([&, name] {
        units.acquire();
        order += name;
        units.release();
      });
      until_parked(rt, all.size());
    }
    units.release();
    EXPECT_FALSE(units.try_acquire()) << "it belongs to who has waited longest";
    for (fiber& each : all) each.join();
    EXPECT_EQ(order, "abcde");
  });
}

TEST(semaphore, of_one_and_of_the_greatest_count) {
  static_assert(binary_semaphore::max() == 1);
  static_assert(counting_semaphore<7>::max() == 7);
  binary_semaphore one(1);
  EXPECT_TRUE(one.try_acquire());
  EXPECT_FALSE(one.try_acquire());
  one.release(0);
  EXPECT_FALSE(one.try_acquire());
  counting_semaphore<> most(counting_semaphore<>::max());
  EXPECT_TRUE(most.try_acquire());
  most.release();
}

constinit counting_semaphore<> global_units(3);

TEST(semaphore, a_global_is_constant_initialised) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(global_units.try_acquire());
  EXPECT_FALSE(global_units.try_acquire_for(0s));
  global_units.release(3);
}
}  // namespace
}  // namespace weft::test
