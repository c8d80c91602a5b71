// select: one case takes place, and no other.
#include <weft/select.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/peers.hpp"

namespace weft::test {
using namespace std::chrono_literals;
namespace {
class selects : public in_company {};
INSTANTIATE_TEST_SUITE_P(of, selects, companies, company_name);
constexpr auto ignore = [] {};

bool is(select_result a, std::size_t index, channel_status status) {
  return a.index == index && a.status == status;
}
}  // namespace

TEST_P(selects, take_what_is_ready) {
  run([&] {
    channel<int> a(1), b(1), full(1);
    full.send(0);
    b.send(5);
    int got = 0;
    auto r = select(on_receive(a, [&](int) { got = -1; }), on_receive(b, [&](int v) { got = v; }),
                    on_send(full, 1, [&] { got = -2; }));
    EXPECT_TRUE(is(r, 1, channel_status::ok));
    EXPECT_EQ(got, 5);
    r = select(on_receive(b, [&](int) { got = -1; }), on_send(a, 6, [&] { got = 1; }));
    EXPECT_TRUE(is(r, 1, channel_status::ok));
    EXPECT_EQ(got, 1);
    EXPECT_EQ(a.receive(), 6);
  });
}

TEST_P(selects, wait_until_something_is_ready) {
  run([&] {
    channel<int> a, b;
    channel<std::string> c;
    const peer other = beside([&] {
      for (int i = 0; i < 300; ++i) {
        if (i % 4 == 0) this_fiber::yield();
        if (i % 3 == 0) a.send(i);
        if (i % 3 == 1) b.send(i);
        if (i % 3 == 2) {
          EXPECT_EQ(c.receive(), std::to_string(i));
        }
      }
    });
    for (int i = 0; i < 300; ++i) {
      int got = -1;
      const auto r =
          select(on_receive(a, [&](int v) { got = v; }), on_receive(b, [&](int v) { got = v; }),
                 on_send(c, std::to_string(i), [&] { got = i; }));
      EXPECT_TRUE(is(r, static_cast<std::size_t>(i % 3), channel_status::ok));
      EXPECT_EQ(got, i);
    }
  });
}

// Two selects on either side, each with both directions.
TEST_P(selects, meet_each_other) {
  run([&] {
    channel<int> a, b;
    std::atomic<long> sent{0}, received{0};
    const auto take_part = [&] {
      for (int i = 0; i < 1000; ++i) {
        select(on_send(a, i, [&] { sent += i; }), on_receive(b, [&](int v) { received += v; }));
      }
    };
    const auto take_the_other_part = [&] {
      for (int i = 0; i < 1000; ++i) {
        select(on_send(b, i, [&] { sent += i; }), on_receive(a, [&](int v) { received += v; }));
      }
    };
    {
      const peer other = beside(take_the_other_part);
      take_part();
    }
    EXPECT_EQ(sent, received);
  });
}

TEST_P(selects, give_each_ready_case_its_turn) {
  run([&] {
    constexpr int rounds = 4000;
    channel<int> a(1), b(1), c(1), closed, never_ready;
    closed.close();
    std::array<int, 6> times{};
    for (int i = 0; i < rounds; ++i) {
      a.try_send(0);
      b.try_send(0);
      const auto r = select(on_receive(never_ready, [](int) {}), on_receive(a, [](int) {}),
                            on_receive(b, [](int) {}), on_receive(closed, [](int) {}),
                            on_send(c, 1, [&] { c.receive(); }), after(1h, ignore));
      ++times[r.index];
    }
    EXPECT_EQ(times[0] + times[5], 0);
    for (const std::size_t i : {1u, 2u, 3u, 4u}) {
      EXPECT_NEAR(times[i], rounds / 4, rounds / 16) << i;
    }
  });
}

TEST_P(selects, find_closed_channels_ready) {
  run([&] {
    channel<int> open, closed(2);
    closed.send(3);
    closed.close();
    int got = 0;
    auto r = select(on_receive(open, [&](int) {}), on_receive(closed, [&](int v) { got = v; }));
    EXPECT_TRUE(is(r, 1, channel_status::ok));
    EXPECT_EQ(got, 3);
    r = select(on_receive(open, [&](int) { got = 4; }), on_receive(closed, [&](int) { got = 5; }));
    EXPECT_TRUE(is(r, 1, channel_status::closed));
    EXPECT_EQ(got, 3);
    bool told = false;
    r = select(on_receive(closed, [&](std::optional<int> v) { told = v == std::nullopt; }));
    EXPECT_TRUE(told);
    r = select(on_send(closed, 1, [&] { got = 6; }));
    EXPECT_TRUE(is(r, 0, channel_status::closed));
    EXPECT_EQ(got, 3);
  });
}

TEST_P(selects, are_told_when_a_channel_is_closed_meanwhile) {
  run([&] {
    channel<int> a, b;
    for (const bool sends : {false, true}) {
      channel<int> c;
      const peer closer = beside([&] {
        this_fiber::sleep_for(1ms);
        c.close();
      });
      const auto r =
          sends ? select(on_receive(a, [](int) {}), on_send(c, 1, ignore))
                : select(on_receive(a, [](int) {}),
                         on_receive(c, [](std::optional<int> v) { EXPECT_EQ(v, std::nullopt); }));
      EXPECT_TRUE(is(r, 1, channel_status::closed));
    }
  });
}

TEST_P(selects, end_by_time) {
  run([&] {
    channel<int> c;
    for (const auto limit : {0ms, -3ms, 2ms}) {
      int called = 0;
      auto r = select(on_receive(c, [](int) {}), after(1h, [&] { called = 1; }),
                      after(limit, [&] { called = 2; }));
      EXPECT_TRUE(is(r, 2, channel_status::timeout));
      EXPECT_EQ(called, 2);
      r = select(after(limit, ignore));
      EXPECT_TRUE(is(r, 0, channel_status::timeout));
    }
    const peer sender = beside([&] { c.send(1); });
    const auto r = select(after(std::chrono::hours::max(), ignore), on_receive(c, [](int) {}));
    EXPECT_TRUE(is(r, 1, channel_status::ok));
  });
}

TEST_P(selects, do_otherwise) {
  run([&] {
    channel<int> c(1);
    int called = 0;
    auto r = select(on_receive(c, [](int) {}), otherwise([&] { ++called; }), after(1h, ignore));
    EXPECT_TRUE(is(r, 1, channel_status::ok));
    r = select(otherwise([&] { ++called; }));
    EXPECT_TRUE(is(r, 0, channel_status::ok));
    EXPECT_EQ(called, 2);
    c.send(1);
    r = select(otherwise([&] { ++called; }), on_receive(c, [](int) {}));
    EXPECT_TRUE(is(r, 1, channel_status::ok));
    EXPECT_EQ(called, 2);
  });
}

TEST_P(selects, move_a_value_only_if_its_case_takes_place) {
  run([&] {
    channel<std::unique_ptr<int>> a(1), b(1);
    auto one = std::make_unique<int>(1), two = std::make_unique<int>(2);
    a.send(nullptr);
    auto r = select(on_send(a, std::move(one), ignore), on_send(b, std::move(two), ignore));
    EXPECT_EQ(r.index, 1u);
    EXPECT_NE(one, nullptr);
    EXPECT_EQ(two, nullptr);
    r = select(on_send(a, std::move(one), ignore), after(1ms, ignore));
    EXPECT_EQ(r.index, 1u);
    EXPECT_NE(one, nullptr);
    b.close();
    r = select(on_send(a, std::move(one), ignore), on_send(b, std::move(one), ignore));
    EXPECT_TRUE(is(r, 1, channel_status::closed));
    EXPECT_NE(one, nullptr);
    EXPECT_EQ(**b.receive(), 2);
    r = select(on_receive(a, [&](std::unique_ptr<int> p) { two = std::move(p); }),
               on_receive(b, [](std::unique_ptr<int>&&) {}));
  });
}

TEST_P(selects, have_one_channel_in_several_cases) {
  run([&] {
    channel<int> c, d;
    // Nobody sends to himself.
    EXPECT_EQ(select(on_send(c, 1, ignore), on_receive(c, [](int) {}), after(1ms, ignore)).index,
              2u);
    const peer other = beside([&] {
      for (int i = 0; i < 200; ++i) {
        if (i % 3 == 0) this_fiber::yield();
        if (i % 2 == 0) {
          c.send(i);
        } else {
          EXPECT_GE(c.receive(), 1);
        }
      }
      c.close();
    });
    int sent = 0, received = 0;
    for (;;) {
      const auto r =
          select(on_send(c, 1, [&] { ++sent; }), on_receive(d, [](int) {}),
                 on_receive(c, [&](int) { ++received; }), on_receive(c, [&](int) { ++received; }),
                 on_send(c, 2, [&] { ++sent; }));
      if (r.status == channel_status::closed) break;
    }
    EXPECT_EQ(sent, 100);
    EXPECT_EQ(received, 100);
  });
}

}  // namespace weft::test
