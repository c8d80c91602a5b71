// The hunt for a lost wake: kernel threads end the waits of fibers as fast as they can, and a
// watchdog says where everybody was if one did not arrive. WEFT_UNPARKS sets how many; ./dev soak
// asks for more.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "park/park.hpp"
#include "stress/time_box.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
using detail::control_block;
using detail::wait_word;

// Where a fiber leaves the token of its wait, for any thread to take.
struct alignas(64) mailbox {
  std::atomic<control_block*> block{nullptr};
  wait_word::epoch_type epoch = 0;
  long waits = 0;  // the fiber's

  static void publish(control_block* parked, void* arg) noexcept {
    auto& self = *static_cast<mailbox*>(arg);
    self.epoch = parked->word.epoch();
    self.block.store(parked, std::memory_order_release);
  }
  void wait() {
    detail::park(detail::wait_kind::event, nullptr, false, publish, this);
    ++waits;
  }
  // From any thread. False: nobody waits here.
  bool wake() {
    if (!block.load(std::memory_order_relaxed)) return false;
    control_block* const parked = block.exchange(nullptr, std::memory_order_acquire);
    if (!parked) return false;
    if (parked->word.claim(epoch, detail::wake_reason::wake)) detail::make_ready(parked);
    return true;
  }
};

struct setting {
  unsigned workers;
  std::size_t fibers;
  int threads;
  double share;  // of WEFT_UNPARKS: a sleeping worker costs more to wake than a busy one
};
void PrintTo(const setting& s, std::ostream* to) {
  *to << s.workers << " workers, " << s.fibers << " fibers, " << s.threads << " threads";
}

class unpark_stress : public testing::TestWithParam<setting> {};
INSTANTIATE_TEST_SUITE_P(settings, unpark_stress,
                         testing::Values(setting{2, 64, 2, 0.6}, setting{4, 1000, 3, 0.3},
                                         setting{1, 1, 1, 0.03}, setting{2, 3, 2, 0.03},
                                         setting{3, 7, 4, 0.04}));

TEST_P(unpark_stress, every_foreign_wake_arrives) {
  const setting s = GetParam();
  const auto all =
      static_cast<long>(static_cast<double>(amount("WEFT_UNPARKS", 2'000'000)) * s.share);
  const long each = all / static_cast<long>(s.fibers) + 1;
  watchdog dog;
  std::vector<mailbox> boxes(s.fibers);
  std::atomic<std::size_t> ended{0};
  runtime rt({.workers = s.workers});
  std::vector<fiber> fibers;
  for (mailbox& box : boxes) {
    fibers.emplace_back(on(rt), [&] {
      while (box.waits < each) box.wait();
      ++ended;
    });
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < s.threads; ++t) {
    threads.emplace_back([&, t] {
      std::size_t at = static_cast<std::size_t>(t) * s.fibers / static_cast<std::size_t>(s.threads);
      int fruitless = 0;
      while (ended < s.fibers) {
        if (boxes[at].wake()) {
          dog.step();
          fruitless = 0;
        } else if (++fruitless > 1000) {
          std::this_thread::yield();
        }
        at = (at + 1) % s.fibers;
      }
    });
  }
  for (fiber& f : fibers) f.join();
  for (std::thread& t : threads) t.join();
  for (const mailbox& box : boxes) EXPECT_EQ(box.waits, each);
  std::printf("%ld foreign unparks\n", dog.steps());
}
}  // namespace
}  // namespace weft::test
