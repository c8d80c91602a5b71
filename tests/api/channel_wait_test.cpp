// How waits at channels end: deadlines, stop requests, close().
#include <weft/channel.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "support/peers.hpp"

namespace weft::test {
using namespace std::chrono_literals;
namespace {
class channel_waits : public in_company {};
INSTANTIATE_TEST_SUITE_P(of, channel_waits, companies, company_name);
using channel_clock = std::chrono::steady_clock;

// The end of an operation as a word.
template <class F>
std::string channel_end(F f) {
  try {
    f();
    return "done";
  } catch (const operation_canceled&) {
    return "canceled";
  } catch (const deadline_exceeded&) {
    return "expired";
  }
}
}  // namespace

TEST_P(channel_waits, end_at_their_deadline) {
  run([&] {
    for (const std::size_t capacity : {0u, 1u}) {
      channel<int> c(capacity);
      int got = 7;
      for (const auto limit : {0ms, -5ms, 3ms}) {
        const auto begin = channel_clock::now();
        EXPECT_EQ(c.try_receive_for(got, limit), channel_status::timeout);
        EXPECT_EQ(c.try_receive_until(got, channel_clock::now() + limit), channel_status::timeout);
        EXPECT_EQ(c.try_receive_until(got, std::chrono::system_clock::now() + limit),
                  channel_status::timeout);
        EXPECT_GE(channel_clock::now() - begin, 3 * limit);
      }
      EXPECT_EQ(c.try_receive_until(got, channel_clock::time_point::min()),
                channel_status::timeout);
      EXPECT_EQ(got, 7);
      if (capacity == 1) {
        c.send(1);
      }
      for (const auto limit : {0ms, -5ms, 3ms}) {
        EXPECT_EQ(c.try_send_for(2, limit), channel_status::timeout);
        EXPECT_EQ(c.try_send_until(2, channel_clock::now() + limit), channel_status::timeout);
      }
      EXPECT_EQ(c.size(), capacity);
      if (capacity == 1) {
        EXPECT_EQ(c.receive(), 1);
      }
    }
  });
}

TEST_P(channel_waits, with_a_deadline_succeed_at_once_where_they_can) {
  run([&] {
    channel<int> c(1);
    int got = 0;
    EXPECT_EQ(c.try_send_for(1, 0s), channel_status::ok);
    EXPECT_EQ(c.try_receive_for(got, -1s), channel_status::ok);
    EXPECT_EQ(c.try_send_until(2, channel_clock::time_point::min()), channel_status::ok);
    EXPECT_EQ(c.try_receive_until(got, channel_clock::time_point::max()), channel_status::ok);
    EXPECT_EQ(got, 2);
    c.close();
    EXPECT_EQ(c.try_receive_for(got, 1h), channel_status::closed);
    EXPECT_EQ(c.try_send_for(1, 1h), channel_status::closed);
  });
}

// Far and overflowing deadlines do not end anything.
TEST_P(channel_waits, last_until_somebody_comes) {
  run([&] {
    for (const auto limit : {std::chrono::hours(1), std::chrono::hours::max()}) {
      channel<int> there, back;
      const peer other = beside([&] {
        for (int i = 0; i < 50; ++i) {
          std::optional<int> got;
          EXPECT_EQ(there.try_receive_for(got, limit), channel_status::ok);
          if (i % 5 == 0) this_fiber::sleep_for(100us);
          EXPECT_EQ(back.try_send_for(*got + 1, limit), channel_status::ok);
        }
      });
      for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(there.try_send_for(i, limit), channel_status::ok);
        int got = -1;
        EXPECT_EQ(back.try_receive_for(got, limit), channel_status::ok);
        EXPECT_EQ(got, i + 1);
      }
    }
  });
}

TEST_P(channel_waits, end_with_the_scope) {
  run([&] {
    channel<std::unique_ptr<int>> c;
    auto value = std::make_unique<int>(1);
    EXPECT_EQ(channel_end([&] {
                const deadline_scope limit(2ms);
                c.send(std::move(value));
              }),
              "expired");
    EXPECT_NE(value, nullptr);
    EXPECT_EQ(channel_end([&] {
                const deadline_scope limit(2ms);
                c.try_send_for(std::move(value), 1h);
              }),
              "expired");
    EXPECT_NE(value, nullptr);
    EXPECT_EQ(channel_end([&] {
                const deadline_scope limit(2ms);
                c.receive();
              }),
              "expired");
    std::unique_ptr<int> got;
    const deadline_scope limit(1h);
    EXPECT_EQ(c.try_receive_for(got, 2ms), channel_status::timeout);
  });
}

// Before their effect, even where they need not wait.
TEST(channel_wait, is_refused_to_those_who_were_asked_to_stop) {
  runtime rt({.workers = 1});
  rt.run([] {
    channel<int> c(2);
    c.send(1);
    std::vector<std::string> ends;
    fiber f([&] {
      while (!this_fiber::get_stop_token().stop_requested()) this_fiber::yield();
      ends.push_back(channel_end([&] { c.send(2); }));
      ends.push_back(channel_end([&] { c.receive(); }));
      ends.push_back(channel_end([&] { c.try_send_for(2, 0s); }));
      ends.push_back(channel_end([&] { c.begin(); }));
      // These wait for nothing.
      ends.push_back(channel_end([&] { c.try_send(3); }));
    });
    this_fiber::yield();
    f.request_stop();
    f.join();
    EXPECT_EQ(ends,
              (std::vector<std::string>{"canceled", "canceled", "canceled", "canceled", "done"}));
    EXPECT_EQ(c.receive(), 1);
    EXPECT_EQ(c.receive(), 3);
    EXPECT_EQ(c.size(), 0u);
  });
}

TEST(channel_wait, of_one_who_is_asked_to_stop_moves_nothing) {
  for (const unsigned workers : {1u, 2u, 4u}) {
    runtime rt({.workers = workers});
    rt.run([] {
      channel<std::unique_ptr<int>> c;
      auto value = std::make_unique<int>(1);
      std::string sent, received;
      fiber sender([&] { sent = channel_end([&] { c.send(std::move(value)); }); });
      until([&] {
        return c.try_receive(*std::make_unique<std::unique_ptr<int>>()) != channel_status::ok;
      });
      this_fiber::sleep_for(1ms);
      sender.request_stop();
      sender.join();
      fiber receiver([&] { received = channel_end([&] { c.receive(); }); });
      this_fiber::sleep_for(1ms);
      receiver.request_stop();
      receiver.join();
      EXPECT_EQ(received, "canceled");
    });
  }
}

TEST_P(channel_waits, end_when_the_channel_is_closed) {
  run([&] {
    channel<int> c, d(1);
    d.send(0);
    std::atomic<int> told{0}, entered{0};
    {
      std::vector<peer> all;
      for (int i = 0; i < 20; ++i) {
        all.push_back(beside([&] {
          ++entered;
          told += c.receive() == std::nullopt;
        }));
        all.push_back(beside([&] {
          ++entered;
          told += !d.send(1);
        }));
      }
      until([&] { return entered == 40; });
      this_fiber::sleep_for(2ms);
      c.close();
      d.close();
    }
    EXPECT_EQ(told, 40);
    EXPECT_EQ(d.receive(), 0);
    EXPECT_EQ(d.receive(), std::nullopt);
  });
}

// More than are woken in one batch.
TEST(channel_wait, of_many_ends_when_the_channel_is_closed) {
  for (const unsigned workers : {1u, 2u}) {
    runtime rt({.workers = workers});
    rt.run([&] {
      constexpr int many = 3000;
      std::atomic<int> told{0};
      auto c = std::make_unique<channel<int>>();
      std::vector<fiber> all;
      for (int i = 0; i < many; ++i) {
        all.emplace_back([&] { told += c->receive() == std::nullopt; });
      }
      until_parked(rt, many);
      c->close();
      for (fiber& each : all) each.join();
      EXPECT_EQ(told, many);
    });
  }
}

TEST(channel_wait, works_between_runtimes) {
  runtime one({.workers = 1}), two({.workers = 2});
  channel<int> there, back(3);
  long sum = 0;
  fiber echo(on(two), [&] {
    for (const int n : there) back.send(n);
    back.close();
  });
  fiber source(on(one), [&] {
    for (int i = 0; i < 3000; ++i) there.send(i);
    there.close();
  });
  for (const int n : back) sum += n;
  EXPECT_EQ(sum, 3000L * 2999 / 2);
}

// Only a shield, or unwinding, lets one wait who was asked to stop.
TEST(channel_wait, is_allowed_while_a_stopped_fiber_unwinds) {
  runtime rt({.workers = 1});
  rt.run([] {
    channel<int> farewell;
    struct says_goodbye {
      channel<int>& to;
      ~says_goodbye() { to.send(1); }
    };
    fiber f([&] {
      const says_goodbye last{farewell};
      this_fiber::sleep_for(1h);
    });
    this_fiber::yield();
    f.request_stop();
    EXPECT_EQ(farewell.receive(), 1);
  });
}
}  // namespace weft::test
