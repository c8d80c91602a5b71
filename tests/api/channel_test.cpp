// What a channel is to one sender and one receiver, from fibers, kernel threads and both.
#include <weft/channel.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/peers.hpp"

namespace weft::test {
namespace {
class channels : public in_company {};
INSTANTIATE_TEST_SUITE_P(of, channels, companies, company_name);

// Moves, and cannot be copied or assigned. Counts those that live.
struct channel_cargo {
  static inline std::atomic<int> alive{0};
  explicit channel_cargo(int n) : number(n) { ++alive; }
  channel_cargo(channel_cargo&& other) noexcept : number(std::exchange(other.number, -1)) {
    ++alive;
  }
  channel_cargo& operator=(channel_cargo&&) = delete;
  ~channel_cargo() { --alive; }
  int number;
};

template <class T>
concept channel_sends_copies_of = requires(channel<T>& c, const T& value) {
  c.send(value);
  c.try_send(value);
};
}  // namespace

TEST_P(channels, pass_values_on_in_order) {
  for (const std::size_t capacity : {0u, 1u, 2u, 7u, 1000u}) {
    run([&] {
      channel<int> c(capacity);
      EXPECT_EQ(c.capacity(), capacity);
      const peer sender = beside([&] {
        for (int i = 0; i < 2000; ++i) EXPECT_TRUE(c.send(i));
        c.close();
      });
      int expected = 0;
      for (int& n : c) EXPECT_EQ(n, expected++);
      EXPECT_EQ(expected, 2000);
      EXPECT_TRUE(c.closed());
      EXPECT_EQ(c.receive(), std::nullopt);
    });
  }
}

// The sender is behind its send only when the value has arrived.
TEST_P(channels, of_no_capacity_are_a_rendezvous) {
  run([&] {
    channel<int> c;
    std::atomic<int> arrived{-1};
    const peer receiver = beside([&] {
      for (int i = 0; i < 200; ++i) {
        if (i % 3 == 0) this_fiber::yield();
        arrived = *c.receive();
      }
    });
    for (int i = 0; i < 200; ++i) {
      c.send(i);
      EXPECT_GE(arrived, i - 1);
      EXPECT_EQ(c.size(), 0u);
    }
  });
}

TEST_P(channels, hold_what_their_capacity_says_and_no_more) {
  run([&] {
    channel<int> c(3);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(c.try_send(i), channel_status::ok);
      EXPECT_EQ(c.size(), static_cast<std::size_t>(i) + 1);
    }
    EXPECT_EQ(c.try_send(3), channel_status::full);
    int got = -1;
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(c.try_receive(got), channel_status::ok);
      EXPECT_EQ(got, i);
    }
    EXPECT_EQ(c.try_receive(got), channel_status::empty);
    EXPECT_EQ(got, 2);
    std::optional<int> none;
    EXPECT_EQ(c.try_receive(none), channel_status::empty);
    EXPECT_EQ(none, std::nullopt);
  });
}

TEST_P(channels, of_no_capacity_try_only_where_somebody_waits) {
  run([&] {
    channel<int> c;
    int got = -1;
    EXPECT_EQ(c.try_send(1), channel_status::full);
    EXPECT_EQ(c.try_receive(got), channel_status::empty);
    {
      const peer receiver = beside([&] { EXPECT_EQ(c.receive(), 5); });
      until([&] { return c.try_send(5) == channel_status::ok; });
    }
    const peer sender = beside([&] { EXPECT_TRUE(c.send(6)); });
    until([&] { return c.try_receive(got) == channel_status::ok; });
    EXPECT_EQ(got, 6);
  });
}

TEST_P(channels, close_behind_the_last_value) {
  run([&] {
    channel<int> c(4);
    c.send(1);
    c.send(2);
    c.close();
    c.close();
    EXPECT_TRUE(c.closed());
    EXPECT_FALSE(c.send(3));
    EXPECT_EQ(c.try_send(3), channel_status::closed);
    EXPECT_EQ(c.receive(), 1);
    int got = 0;
    EXPECT_EQ(c.try_receive(got), channel_status::ok);
    EXPECT_EQ(got, 2);
    EXPECT_EQ(c.try_receive(got), channel_status::closed);
    EXPECT_EQ(c.receive(), std::nullopt);
    EXPECT_EQ(c.begin(), c.end());
  });
}

TEST_P(channels, move_a_value_only_when_it_is_sent) {
  run([&] {
    for (const std::size_t capacity : {0u, 1u}) {
      channel<std::unique_ptr<int>> c(capacity);
      auto value = std::make_unique<int>(1);
      if (capacity == 1) {
        EXPECT_TRUE(c.send(std::move(value)));
        EXPECT_EQ(value, nullptr);
        value = std::make_unique<int>(2);
      }
      EXPECT_EQ(c.try_send(std::move(value)), channel_status::full);
      ASSERT_NE(value, nullptr);
      EXPECT_EQ(c.try_send_for(std::move(value), std::chrono::milliseconds(1)),
                channel_status::timeout);
      ASSERT_NE(value, nullptr);
      {
        const peer closer = beside([&] {
          this_fiber::yield();
          c.close();
        });
        EXPECT_FALSE(c.send(std::move(value)));
      }
      ASSERT_NE(value, nullptr);
      EXPECT_EQ(c.try_send(std::move(value)), channel_status::closed);
      EXPECT_NE(value, nullptr);
      if (capacity == 1) {
        EXPECT_EQ(*c.receive().value(), 1);
      }
      EXPECT_EQ(c.receive(), std::nullopt);
    }
  });
}

TEST_P(channels, carry_what_only_moves) {
  run([&] {
    for (const std::size_t capacity : {0u, 3u}) {
      channel<channel_cargo> c(capacity);
      const peer sender = beside([&] {
        for (int i = 0; i < 100; ++i) EXPECT_TRUE(c.send(channel_cargo(i)));
        c.close();
      });
      int expected = 0;
      channel_cargo last(-1);
      for (auto& each : c) {
        EXPECT_EQ(each.number, expected++);
        if (expected == 50) break;
      }
      EXPECT_EQ(c.try_receive_for(last, std::chrono::hours(1)), channel_status::ok);
      EXPECT_EQ(last.number, 50);
      while (c.receive()) ++expected;
      EXPECT_EQ(expected, 99);
    }
  });
  EXPECT_EQ(channel_cargo::alive, 0);
}

TEST(channel, destroys_what_was_not_received) {
  {
    channel<channel_cargo> c(5);
    for (int round = 0; round < 3; ++round) {
      c.send(channel_cargo(1));
      c.send(channel_cargo(2));
      c.receive();
    }
    EXPECT_EQ(channel_cargo::alive, 3);
  }
  EXPECT_EQ(channel_cargo::alive, 0);
}

TEST(channel, carries_optionals_and_what_overloads_address_of) {
  struct strange {
    int n;
    strange* operator&() { return nullptr; }
  };
  channel<std::optional<int>> c(2);
  c.send(std::nullopt);
  c.send(4);
  std::optional<int> got = 1;
  EXPECT_EQ(c.try_receive(got), channel_status::ok);
  EXPECT_EQ(got, std::nullopt);
  EXPECT_EQ(c.receive(), std::optional<std::optional<int>>(4));
  channel<strange> s(1);
  s.send(strange{7});
  EXPECT_EQ(s.receive()->n, 7);
}

TEST(channel, keeps_the_alignment_of_its_values) {
  struct alignas(64) wide {
    int n;
  };
  channel<wide> c(3);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 3; ++i) c.send(wide{i});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(c.receive()->n, i);
  }
}

TEST(channel, copies_what_is_sent_by_reference) {
  channel<std::string> c(1);
  const std::string text(100, 'x');
  c.send(text);
  EXPECT_EQ(c.receive(), text);
  EXPECT_EQ(text.size(), 100u);
  static_assert(channel_sends_copies_of<std::string>);
  static_assert(!channel_sends_copies_of<std::unique_ptr<int>>);
}

// A copy that throws has sent nothing.
TEST(channel, is_unharmed_by_a_copy_that_throws) {
  struct grenade {
    grenade() = default;
    grenade(const grenade&) { throw 5; }
    grenade(grenade&&) noexcept {}
  };
  channel<grenade> c(1);
  const grenade g;
  EXPECT_THROW(c.send(g), int);
  EXPECT_EQ(c.size(), 0u);
  EXPECT_TRUE(c.send(grenade()));
}

TEST(channel, refuses_a_capacity_that_cannot_be) {
  EXPECT_THROW(channel<int>(std::size_t{1} << 32), std::length_error);
  struct large {
    char bytes[std::size_t{1} << 40];
    large(large&&) noexcept {}
  };
  EXPECT_THROW(channel<large>((std::size_t{1} << 32) - 1), std::length_error);
}

TEST(channel, loops_are_input_ranges) {
  static_assert(std::input_iterator<channel<int>::iterator>);
  static_assert(std::sentinel_for<std::default_sentinel_t, channel<int>::iterator>);
  channel<int> c(8);
  for (int i = 1; i <= 8; ++i) c.send(i);
  c.close();
  auto at = c.begin();
  EXPECT_EQ(*at, 1);
  EXPECT_EQ(*++at, 2);
  at++;
  EXPECT_EQ(*at, 3);
  int sum = 0;
  for (const int n : c) sum += n;
  EXPECT_EQ(sum, 4 + 5 + 6 + 7 + 8);
}

TEST(channel, ends_the_process_when_destroyed_with_somebody_waiting) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto destroy = [] {
    runtime rt({.workers = 1});
    rt.run([&rt] {
      auto c = std::make_unique<channel<int>>();
      const fiber waiting({.name = "patient"}, [&] { c->receive(); });
      until_parked(rt, 1);
      c.reset();
    });
  };
  EXPECT_DEATH(destroy(),
               "weft::channel at 0x[0-9a-f]+: destroyed by fiber [0-9]+ while fiber [0-9]+ "
               "\"patient\" waits for it");
}
}  // namespace weft::test
