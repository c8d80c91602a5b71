// Coroutines that receive from channels.
#include <gtest/gtest.h>

#include <atomic>
#include <coroutine>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>
#include <weft/coroutine.hpp>
#include <weft/scope.hpp>
#include <weft/select.hpp>

#include "support/fibers.hpp"
#include "support/held_coroutine.hpp"
#include "support/process.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class receiving_coroutines : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, receiving_coroutines, testing::Values(1, 2, 4));

task<int> sum_received(channel<int>& c) {
  int sum = 0;
  while (const std::optional<int> n = co_await c) sum += *n;
  co_return sum;
}

TEST_P(receiving_coroutines, get_what_fibers_send) {
  rt.run([] {
    for (const std::size_t capacity : {0u, 1u, 7u}) {
      channel<int> c(capacity);
      fiber sends([&] {
        for (int i = 1; i <= 200; ++i) {
          if (i % 7 == 0) this_fiber::yield();
          ASSERT_TRUE(c.send(i));
        }
        c.close();
      });
      ASSERT_EQ(await(sum_received(c)), 20'100);
      ASSERT_EQ(await(c), std::nullopt);
    }
  });
}

// Something happens between a coroutine's look and its wait.
template <class F>
struct what_comes_between {
  decltype(operator co_await(std::declval<channel<int>&>())) of;
  F happens;
  bool await_ready() {
    const bool ready = of.await_ready();
    happens();
    return ready;
  }
  bool await_suspend(std::coroutine_handle<> who) { return of.await_suspend(who); }
  std::optional<int> await_resume() { return of.await_resume(); }
};

TEST_P(receiving_coroutines, do_not_miss_what_comes_between_look_and_wait) {
  rt.run([] {
    const auto gets = [](channel<int>& from, auto happens) -> task<std::optional<int>> {
      co_return co_await what_comes_between<decltype(happens)>{operator co_await(from), happens};
    };
    channel<int> buffered(1), meets;
    EXPECT_EQ(await(gets(buffered, [&] { buffered.send(1); })), 1);
    EXPECT_EQ(buffered.size(), 0u);
    fiber sends;
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(await(gets(meets,
                           [&] {
                             sends = fiber([&] { EXPECT_TRUE(meets.send(i)); });
                             this_fiber::sleep_for(100us);
                           })),
                i);
      sends.join();
    }
    EXPECT_EQ(await(gets(buffered, [&] { buffered.close(); })), std::nullopt);
  });
}

TEST_P(receiving_coroutines, get_what_kernel_threads_send) {
  rt.run([] {
    const int amount = emulated() ? 500 : 5'000;
    for (const std::size_t capacity : {0u, 2u}) {
      channel<int> c(capacity);
      std::thread sends([&] {
        for (int i = 0; i < amount; ++i) c.send(i);
        c.close();
      });
      const auto counts = [](channel<int>& from) -> task<int> {
        int expected = 0;
        while (const std::optional<int> n = co_await from) {
          if (*n != expected) co_return -1;
          ++expected;
        }
        co_return expected;
      };
      const int got = await(counts(c));
      EXPECT_EQ(got, amount);
      c.close();
      blocking([&] { sends.join(); });
    }
  });
}

TEST_P(receiving_coroutines, may_be_driven_by_a_kernel_thread) {
  channel<int> c;
  fiber sends(on(rt), [&] {
    for (int i = 1; i <= 100; ++i) c.send(i);
    c.close();
  });
  EXPECT_EQ(await(sum_received(c)), 5'050);
}

// Every value goes to one of them, and the channel may go when the last has been told the end.
TEST_P(receiving_coroutines, beside_fibers_threads_and_selects) {
  rt.run([&] {
    for (const std::size_t capacity : {0u, 4u}) {
      constexpr int senders = 4, each = 300;
      auto c = std::make_unique<channel<int>>(capacity);
      std::atomic<long> sum{0};
      std::atomic<int> count{0};
      const auto take = [&](int n) {
        sum += n;
        ++count;
      };
      scope sending, receiving;
      for (int s = 0; s < senders; ++s) {
        sending.spawn([&, s] {
          for (int i = 0; i < each; ++i) c->send(s * each + i);
        });
      }
      for (int r = 0; r < 3; ++r) {
        receiving.spawn([&] {
          const auto takes = [](channel<int>& from, auto& to) -> task<> {
            while (const std::optional<int> n = co_await from) to(*n);
          };
          await(takes(*c, take));
        });
      }
      receiving.spawn([&] {
        for (int n : *c) take(n);
      });
      receiving.spawn([&] {
        while (select(on_receive(*c, take)).status == channel_status::ok) {
        }
      });
      std::thread outside([&] {
        while (const std::optional<int> n = c->receive()) take(*n);
      });
      sending.join();
      c->close();
      receiving.join();
      blocking([&] { outside.join(); });
      c.reset();
      constexpr long all = senders * each;
      EXPECT_EQ(count, all);
      EXPECT_EQ(sum, all * (all - 1) / 2);
    }
  });
}

TEST_P(receiving_coroutines, wait_without_a_stack_in_order) {
  rt.run([&] {
    constexpr int many = 1000;
    channel<int> c;
    std::vector<int> order;
    std::atomic<int> ended{0};
    const auto waits = [](channel<int>& from, std::vector<int>& to,
                          std::atomic<int>& end) -> held_coroutine {
      to.push_back(*co_await from);
      ++end;
    };
    std::vector<held_coroutine> waiting;
    const std::size_t stacks = rt.stats().stacks_in_use;
    for (int i = 0; i < many; ++i) waiting.push_back(waits(c, order, ended));
    EXPECT_LT(rt.stats().stacks_in_use, stacks + 10);
    for (int i = 0; i < many; ++i) {
      ASSERT_EQ(c.try_send(i), channel_status::ok);
      until([&] { return ended == i + 1; });
    }
    for (const held_coroutine& each : waiting) {
      until([&] { return each.frame.done(); });
      each.frame.destroy();
    }
    for (int i = 0; i < many; ++i) ASSERT_EQ(order[static_cast<std::size_t>(i)], i);
    EXPECT_EQ(c.try_send(1), channel_status::full);
  });
}
}  // namespace
}  // namespace weft::test
