// Kernel threads that make fibers, wait for them and are gone: what stands for such a thread while
// it waits is used again at once, so whoever wakes it must not touch that afterwards.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "stress/time_box.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
// Some nanoseconds each.
void spin(std::uint64_t turns) {
  for (std::atomic<std::uint64_t> i = 0; i < turns; ++i) {
  }
}

TEST(stress_thread_join, returns_after_the_fiber_has_ended) {
  const std::uint64_t base = seed();
  const time_box box;
  watchdog dog;
  runtime rt({.workers = 2});
  std::atomic<int> early{0};
  std::vector<std::thread> threads;
  for (std::uint64_t k = 0; k < 3; ++k) {
    threads.emplace_back([&, k] {
      std::mt19937_64 random(base + k);
      while (box.open()) {
        bool done = false;  // plain: join() must order it
        fiber f(on(rt), [&, turns = random() % 200] {
          spin(turns);
          done = true;
        });
        spin(random() % 100);
        f.join();
        if (!done) ++early;
        dog.step();
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(early, 0);
}

TEST(stress_thread_join, by_threads_that_exit_at_once) {
  std::mt19937_64 random(seed());
  const time_box box;
  watchdog dog;
  runtime rt({.workers = 2});
  runtime other({.workers = 1});
  std::atomic<bool> stop{false};
  std::thread maker([&] {  // takes the blocks that the threads give back
    while (!stop) {
      fiber f(on(other), [] {});
      f.join();
    }
  });
  do {
    std::thread([&, turns = random() % 2000] {
      fiber f(on(rt), [turns] { spin(turns); });
      spin(250);
      f.join();
      dog.step();
    }).join();
  } while (box.open());
  stop = true;
  maker.join();
  EXPECT_GT(dog.steps(), 0);
}

TEST(stress_thread_join, of_fibers_that_join_fibers) {
  std::mt19937_64 random(seed());
  const time_box box;
  watchdog dog;
  runtime rt({.workers = 2});
  std::atomic<int> early{0};
  while (box.open()) {
    std::vector<std::thread> threads;
    for (int k = 0; k < 3; ++k) {
      threads.emplace_back([&, turns = random() % 300] {
        bool done = false;
        rt.run([&] {
          fiber a([] {});
          fiber b([&] {
            spin(turns);
            done = true;
          });
          b.join();
          a.join();
        });
        if (!done) ++early;
        dog.step();
      });
    }
    for (std::thread& t : threads) t.join();
  }
  EXPECT_EQ(early, 0);
}
}  // namespace
}  // namespace weft::test
