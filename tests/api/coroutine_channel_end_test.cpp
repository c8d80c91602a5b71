// How a coroutine's wait for a channel may end: a value, a close, the end of its runtime, and its
// own.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <weft/coroutine.hpp>
#include <weft/testing.hpp>

#include "support/fibers.hpp"
#include "support/held_coroutine.hpp"

namespace weft::test {
namespace {
class coroutine_receives : public ::testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, coroutine_receives, ::testing::Values(1, 2, 4));

// Says how it ended: "1", "closed", "canceled".
held_coroutine tells_end(channel<std::unique_ptr<int>>& c, std::atomic<const char*>& end) {
  try {
    const std::optional<std::unique_ptr<int>> got = co_await c;
    end = got ? "ok" : "closed";
  } catch (const operation_canceled&) {
    end = "canceled";
  }
}

TEST_P(coroutine_receives, a_close_tells_those_that_wait) {
  rt.run([] {
    channel<std::unique_ptr<int>> c(2);
    std::atomic<const char*> ends[5] = {};
    std::vector<held_coroutine> waiting;
    for (auto& end : ends) waiting.push_back(tells_end(c, end));
    c.send(std::make_unique<int>(1));
    c.close();
    for (auto& end : ends) until([&] { return end.load() != nullptr; });
    EXPECT_STREQ(ends[0], "ok");
    for (int i = 1; i < 5; ++i) EXPECT_STREQ(ends[i], "closed");
    for (const held_coroutine& each : waiting) {
      until([&] { return each.frame.done(); });
      each.frame.destroy();
    }
  });
}

// Nothing is lost: the next receiver gets the value.
TEST_P(coroutine_receives, may_be_destroyed_while_they_wait) {
  rt.run([] {
    channel<std::unique_ptr<int>> c;
    for (int i = 0; i < 50; ++i) {
      std::atomic<const char*> ends[3] = {};
      held_coroutine first = tells_end(c, ends[0]);
      held_coroutine gone = tells_end(c, ends[1]);
      held_coroutine last = tells_end(c, ends[2]);
      gone.frame.destroy();
      ASSERT_EQ(c.try_send(std::make_unique<int>(1)), channel_status::ok);
      ASSERT_EQ(c.try_send(std::make_unique<int>(2)), channel_status::ok);
      ASSERT_EQ(c.try_send(std::make_unique<int>(3)), channel_status::full);
      for (const held_coroutine& each : {first, last}) {
        until([&] { return each.frame.done(); });
        each.frame.destroy();
      }
      ASSERT_EQ(ends[1].load(), nullptr);
    }
  });
}

TEST_P(coroutine_receives, the_end_of_their_runtime_cancels_them) {
  channel<std::unique_ptr<int>> c;
  std::atomic<const char*> ends[20] = {};
  std::vector<held_coroutine> waiting;
  {
    runtime short_lived({.workers = GetParam()});
    short_lived.run([&] {
      for (auto& end : ends) waiting.push_back(tells_end(c, end));
    });
  }
  for (auto& end : ends) EXPECT_STREQ(end, "canceled");
  EXPECT_EQ(c.try_send(std::make_unique<int>(1)), channel_status::full);
  for (const held_coroutine& each : waiting) each.frame.destroy();
}

// A send, a close and the end of the runtime meet coroutines that begin to wait.
TEST_P(coroutine_receives, sent_or_closed_or_canceled_and_never_two) {
  for (int round = 0; round < 100; ++round) {
    channel<std::unique_ptr<int>> c;
    std::atomic<const char*> ends[8] = {};
    std::vector<held_coroutine> waiting;
    int sent = 0;
    {
      runtime short_lived({.workers = GetParam()});
      fiber waits(on(short_lived), [&] {
        for (auto& end : ends) waiting.push_back(tells_end(c, end));
      });
      for (int i = 0; i < 4; ++i)
        sent += c.try_send(std::make_unique<int>(i)) == channel_status::ok;
      if (round % 2 == 0) c.close();
      waits.detach();
    }
    std::map<std::string, int> count;
    for (auto& end : ends) ++count[end.load()];
    ASSERT_EQ(count["ok"], sent);
    ASSERT_EQ(count["ok"] + count["closed"] + count["canceled"], 8);
    for (const held_coroutine& each : waiting) each.frame.destroy();
  }
}

// Every schedule of a seed: a coroutine against a fiber for one value, and a close.
TEST(explore_coroutine, one_value_two_receivers_and_a_close) {
  std::map<std::string, int> seen;
  weft::testing::explore_options options;
  options.seeds = 1000;
  const auto found = weft::testing::explore(
      [&] {
        channel<std::unique_ptr<int>> c;
        std::atomic<const char*> end{nullptr};
        bool got = false, sent = false;
        fiber other([&] { got = c.receive().has_value(); });
        fiber sends([&] {
          sent = c.send(std::make_unique<int>(1));
          c.close();
        });
        const held_coroutine one = tells_end(c, end);
        other.join();
        sends.join();
        while (!one.frame.done()) this_fiber::yield();
        one.frame.destroy();
        weft::testing::check(sent, "nobody received it");
        weft::testing::check(got == (std::string(end) == "closed"), "received twice, or never");
        ++seen[end.load()];
      },
      options);
  EXPECT_TRUE(found.ok()) << found.report;
  EXPECT_GT(seen["ok"], 0);
  EXPECT_GT(seen["closed"], 0);
  EXPECT_EQ(seen.size(), 2u);
}
}  // namespace
}  // namespace weft::test
