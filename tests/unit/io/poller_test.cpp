#include "io/poller.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace weft::detail {
namespace {
// A poll that blocks for ever unless it is kicked; the runner's time limit is what fails.
void blocking_poll(poller& p) {
  task_list<control_block> ready;
  p.poll(never, ready);
  EXPECT_TRUE(ready.empty());
}

TEST(poller, a_kick_ends_a_poll_that_blocks) {
  poller p(nullptr);
  std::thread blocked([&] { blocking_poll(p); });
  p.kick();
  blocked.join();
}

TEST(poller, a_kick_before_the_poll_is_kept) {
  poller p(nullptr);
  p.kick();
  blocking_poll(p);
  p.kick();
  p.kick();
  blocking_poll(p);
}

// A busy processor that only looks must not take the kick from the one that is about to block.
TEST(poller, a_look_does_not_swallow_a_kick) {
  poller p(nullptr);
  p.kick();
  task_list<control_block> ready;
  for (int i = 0; i < 5; ++i) p.poll(0, ready);
  blocking_poll(p);
}

TEST(poller, a_poll_ends_at_its_deadline) {
  poller p(nullptr);
  task_list<control_block> ready;
  for (const nanos wait : {nanos{1}, nanos{1'000}, nanos{2'000'000}}) {
    const nanos until = now() + wait;
    p.poll(until, ready);
    EXPECT_GE(now(), until);
  }
  p.poll(now() - 1, ready);
  EXPECT_TRUE(ready.empty());
}

TEST(poller, kicks_from_several_threads) {
  poller p(nullptr);
  for (int round = 0; round < 200; ++round) {
    std::thread a([&] { p.kick(); }), b([&] {
      task_list<control_block> ready;
      p.poll(0, ready);
    });
    blocking_poll(p);
    a.join();
    b.join();
  }
}
}  // namespace
}  // namespace weft::detail
