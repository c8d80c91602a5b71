// A kernel thread waits by the same word and the same claim as a fiber.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "park/park.hpp"
#include "sync/queued_wait.hpp"

namespace weft::detail {
namespace {
// The published wait of a thread, for another to end.
struct published {
  atomic<control_block*> block{nullptr};
  wait_word::epoch_type epoch = 0;

  static void publish(control_block* parked, void* arg) noexcept {
    auto& self = *static_cast<published*>(arg);
    self.epoch = parked->word.epoch();
    self.block.store(parked, std::memory_order_release);
  }
  wait_token await() {
    control_block* parked;
    while (!(parked = block.load(std::memory_order_acquire))) std::this_thread::yield();
    return {parked, epoch};
  }
};

void wake(const wait_token& token, wake_reason reason) {
  if (token.block->word.claim(token.epoch, reason)) make_ready(token.block);
}

TEST(thread_park, ends_by_a_claim_and_tells_its_reason) {
  for (const wake_reason reason : {wake_reason::wake, wake_reason::closed, wake_reason::timeout}) {
    published p;
    std::thread waker([&] { wake(p.await(), reason); });
    EXPECT_EQ(park(wait_kind::event, nullptr, false, published::publish, &p), reason);
    waker.join();
  }
}

TEST(thread_park, a_claim_within_publish_needs_no_sleep) {
  const auto reason = park(
      wait_kind::event, nullptr, false,
      [](control_block* parked, void*) noexcept {
        wake({parked, parked->word.epoch()}, wake_reason::wake);
      },
      nullptr);
  EXPECT_EQ(reason, wake_reason::wake);
}

TEST(thread_park, who_finds_that_it_need_not_wait_wakes_nobody) {
  self_block();
  const auto& wakes = shared_sys_counts().by_kind[static_cast<std::size_t>(sys::futex_wake)];
  const std::uint64_t before = wakes.load(std::memory_order_relaxed);
  waiter node;
  queued_wait wait(&node, node, [](waiter&) noexcept { return false; });
  EXPECT_EQ(wait.plain(wait_kind::event), wait_end::woken);
  EXPECT_EQ(wakes.load(std::memory_order_relaxed), before);
}

TEST(thread_park, ends_at_its_deadline) {
  const nanos before = now();
  EXPECT_EQ(park(wait_kind::event, nullptr, true, nullptr, nullptr, before + 2'000'000),
            wake_reason::timeout);
  EXPECT_GE(now(), before + 2'000'000);
  EXPECT_EQ(park(wait_kind::event, nullptr, true, nullptr, nullptr, 0), wake_reason::timeout);
}

TEST(thread_park, deadline_and_wake_race) {
  int wakes = 0, timeouts = 0;
  for (int round = 0; round < 300; ++round) {
    published p;
    std::thread waker([&] { wake(p.await(), wake_reason::wake); });
    const nanos until = now() + (round % 30) * 10'000;
    const auto reason = park(wait_kind::event, nullptr, false, published::publish, &p, until);
    ASSERT_TRUE(reason == wake_reason::wake || reason == wake_reason::timeout);
    ++(reason == wake_reason::wake ? wakes : timeouts);
    waker.join();
  }
  EXPECT_EQ(wakes + timeouts, 300);
}

TEST(thread_park, each_thread_has_a_stand_in_of_its_own) {
  control_block* mine = &self_block();
  EXPECT_EQ(&self_block(), mine) << "made once";
  control_block* others = nullptr;
  std::thread([&] { others = &self_block(); }).join();
  EXPECT_NE(others, mine);
  EXPECT_TRUE(mine->flags & fiber_flag::kernel_thread);
  EXPECT_FALSE(cancellable_on(current()));
}
}  // namespace
}  // namespace weft::detail
