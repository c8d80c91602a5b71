// A pinned fiber's blocking() call returns while its processor runs another fiber on a spare
// thread; the processor is given up at about the same time, by an end, a park or a yield.
#include <gtest/gtest.h>

#include <random>

#include "stress/time_box.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class stress_pinned_return : public testing::TestWithParam<unsigned> {};

TEST_P(stress_pinned_return, gets_a_processor) {
  std::mt19937_64 random(seed());
  const time_box box;
  watchdog dog;
  runtime rt({.workers = GetParam()});
  rt.run([&] {
    const this_fiber::pin stay;
    const std::thread::id thread = std::this_thread::get_id();
    do {
      std::atomic<bool> runs{false};
      std::atomic<bool> leave{false};
      const std::uint64_t way = random() % 3;
      const std::uint64_t delay = random() % 2000;
      fiber hog([&] {
        runs = true;
        while (!leave) {
        }
        for (std::atomic<std::uint64_t> i = 0; i < delay; ++i) {
        }
        if (way == 1) this_fiber::yield();
        if (way == 2) this_fiber::sleep_for(20us);
      });
      blocking([&] {
        while (!runs) std::this_thread::sleep_for(100us);
        leave = true;
      });
      EXPECT_EQ(std::this_thread::get_id(), thread);
      hog.join();
      dog.step();
    } while (box.open());
  });
  EXPECT_GT(dog.steps(), 0);
}
INSTANTIATE_TEST_SUITE_P(workers, stress_pinned_return, testing::Values(1u, 2u));
}  // namespace
}  // namespace weft::test
