// Channels and select under many schedules: what may come of an operation against a deadline, a
// stop and a close at one time, and that it comes of nothing by halves.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>
#include <weft/testing.hpp>

#include "support/explorations.hpp"
#include "support/fibers.hpp"

namespace weft::test {
using namespace std::chrono_literals;
using weft::testing::check;
using weft::testing::explore;
using weft::testing::explore_options;
using weft::testing::explore_result;

namespace {
constexpr std::uint64_t channel_seeds = 2000;

// Explores f, which returns how it ended, and expects to have seen each of these ends and no other.
template <class F>
void expect_outcomes(std::initializer_list<const char*> wanted, F f) {
  std::map<std::string, int> seen;
  explore_options options;
  options.seeds = channel_seeds;
  options.busy_clock = true;
  const explore_result found = explore([&] { ++seen[f()]; }, options);
  EXPECT_TRUE(found.ok()) << found.report;
  for (const char* const end : wanted) EXPECT_GT(seen[end], 0) << end;
  std::string all;
  for (const auto& [end, times] : seen) all += end + ": " + std::to_string(times) + "\n";
  EXPECT_EQ(seen.size(), wanted.size()) << all;
}

std::string text_of(channel_status status) {
  switch (status) {
    case channel_status::ok:
      return "ok";
    case channel_status::closed:
      return "closed";
    case channel_status::timeout:
      return "timeout";
    default:
      return "?";
  }
}

template <class F>
std::string outcome(F f) {
  try {
    return text_of(f());
  } catch (const operation_canceled&) {
    return "canceled";
  }
}
}  // namespace

TEST(explore_channel, a_rendezvous_against_deadline_stop_and_close) {
  // The stop comes before the close, so that is what the sender is told.
  expect_outcomes(
      {"ok ok", "timeout timeout", "canceled timeout", "timeout closed", "canceled closed"}, [] {
        channel<std::unique_ptr<int>> c;
        auto value = std::make_unique<int>(1);
        std::unique_ptr<int> got;
        std::string sent, received;
        fiber sender(
            [&] { sent = outcome([&] { return c.try_send_for(std::move(value), 1ms); }); });
        fiber receiver([&] { received = outcome([&] { return c.try_receive_for(got, 1ms); }); });
        this_fiber::sleep_for(1ms);
        sender.request_stop();
        c.close();
        sender.join();
        receiver.join();
        check((value == nullptr) == (sent == "ok"), "sent by halves");
        check((got != nullptr) == (received == "ok"), "received by halves");
        return sent + " " + received;
      });
}

TEST(explore_channel, two_receivers_and_two_values) {
  expect_outcomes({"1 2", "2 1", "1 0", "0 1", "0 0"}, [] {
    channel<int> c(1);
    int first = 0, second = 0;
    fiber one([&] { outcome([&] { return c.try_receive_for(first, 1ms); }); });
    fiber two([&] { outcome([&] { return c.try_receive_for(second, 1ms); }); });
    fiber sender([&] {
      for (int i = 1; i <= 2; ++i) c.try_send_for(i, 1ms);
    });
    this_fiber::sleep_for(1ms);
    one.request_stop();
    for (fiber* each : {&one, &two, &sender}) each->join();
    return std::to_string(first) + " " + std::to_string(second);
  });
}

// A deadlock would be a failure of the exploration.
TEST(explore_channel, selects_that_meet) {
  expect_outcomes({"0 1", "1 0"}, [] {
    channel<int> a, b;
    std::size_t one = 9, two = 9;
    int sent = 0, got = 0;
    fiber f([&] {
      one =
          select(on_send(a, 5, [&] { sent += 5; }), on_receive(b, [&](int v) { got += v; })).index;
    });
    fiber g([&] {
      two =
          select(on_send(b, 6, [&] { sent += 6; }), on_receive(a, [&](int v) { got += v; })).index;
    });
    f.join();
    g.join();
    check(sent == got, "half taken");
    return std::to_string(one) + " " + std::to_string(two);
  });
}

TEST(explore_channel, a_select_of_two_against_a_stop) {
  expect_outcomes({"0", "1", "after", "canceled"}, [] {
    channel<std::unique_ptr<int>> a, b;
    auto value = std::make_unique<int>(1);
    std::string how;
    int got = 0;
    fiber selecting([&] {
      try {
        const auto r = select(on_send(a, std::move(value), [] {}),
                              on_receive(b, [&](const std::unique_ptr<int>& p) { got = *p; }),
                              after(1ms, [] {}));
        how = r.index == 2 ? "after" : std::to_string(r.index);
      } catch (const operation_canceled&) {
        how = "canceled";
      }
    });
    std::unique_ptr<int> taken;
    auto given = std::make_unique<int>(2);
    fiber taker([&] { a.try_receive_for(taken, 1ms); });
    fiber giver([&] { b.try_send_for(std::move(given), 1ms); });
    this_fiber::sleep_for(1ms);
    selecting.request_stop();
    for (fiber* each : {&selecting, &taker, &giver}) each->join();
    check((value == nullptr) == (how == "0") && (taken != nullptr) == (how == "0"), "send");
    check((given == nullptr) == (how == "1") && (got == 2) == (how == "1"), "receive");
    return how;
  });
}

// The choice among ready cases differs from seed to seed, and is that seed's whenever it is tried.
TEST(explore_channel, a_seed_decides_what_select_takes) {
  const auto orders_from = [](std::uint64_t first_seed, std::uint64_t seeds) {
    std::vector<std::string> orders;
    explore_options options;
    options.first_seed = first_seed;
    options.seeds = seeds;
    explore(
        [&] {
          channel<int> a(1), b(1), c(1);
          for (auto* each : {&a, &b, &c}) each->send(0);
          std::string& order = orders.emplace_back();
          for (int i = 0; i < 3; ++i) {
            order += std::to_string(select(on_receive(a, [](int) {}), on_receive(b, [](int) {}),
                                           on_receive(c, [](int) {}))
                                        .index);
          }
        },
        options);
    return orders;
  };
  const auto all = orders_from(1, 200), last = orders_from(101, 100);
  ASSERT_EQ(all.size(), 200u);
  EXPECT_EQ(last, std::vector<std::string>(all.begin() + 100, all.end()));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 6u);
}

TEST(explore_channel, a_forgotten_close_is_a_deadlock_that_names_the_wait) {
  const explore_result found = explore(
      [] {
        channel<int> c;
        fiber consumer({.name = "consumer"}, [&] {
          for (const int n : c) static_cast<void>(n);
        });
        c.send(1);
        consumer.join();
      },
      quiet(10));
  EXPECT_EQ(found.kind, weft::testing::failure::deadlock);
  EXPECT_NE(found.report.find("\"consumer\""), std::string::npos) << found.report;
  EXPECT_NE(found.report.find("receive #1"), std::string::npos) << found.report;
}
}  // namespace weft::test
