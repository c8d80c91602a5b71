// What the cases of a select call, and what ends it otherwise.
#include <weft/select.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/fibers.hpp"

namespace weft::test {
using namespace std::chrono_literals;
namespace {
constexpr auto nothing = [] {};
}  // namespace

TEST(select, handlers_may_throw_park_and_use_the_channels) {
  for (const unsigned workers : {1u, 2u}) {
    runtime rt({.workers = workers});
    rt.run([] {
      channel<int> a(1), b(1);
      a.send(1);
      EXPECT_THROW(select(on_receive(a, [](int) { throw std::runtime_error("no"); })),
                   std::runtime_error);
      EXPECT_EQ(a.size(), 0u);
      EXPECT_THROW(select(on_send(a, 2, [] { throw 5; })), int);
      EXPECT_EQ(a.size(), 1u);
      EXPECT_THROW(select(on_receive(b, [](int) {}), after(1ms, [] { throw 5; })), int);
      EXPECT_THROW(select(otherwise([] { throw 5; })), int);
      int got = 0;
      select(on_receive(a, [&](int v) {
        this_fiber::sleep_for(1ms);
        a.send(v + 1);
        select(on_receive(a, [&](int w) { got = w; }), on_receive(b, [](int) {}));
      }));
      EXPECT_EQ(got, 3);
    });
  }
}

TEST(select, handlers_take_what_they_can) {
  channel<std::string> c(1);
  const auto receive_by = [&](auto handler) {
    c.try_send("x");
    return select(on_receive(c, handler)).status == channel_status::ok;
  };
  std::string got;
  EXPECT_TRUE(receive_by([&](auto v) { got += v; }));
  EXPECT_TRUE(receive_by([&](const std::string& v) { got += v; }));
  EXPECT_TRUE(receive_by([&](std::string&& v) { got += v; }));
  EXPECT_TRUE(receive_by([&](std::string_view v) { got += v; }));
  EXPECT_TRUE(receive_by([&](std::optional<std::string> v) noexcept { got += v.value(); }));
  EXPECT_TRUE(receive_by([&](const std::optional<std::string>& v) mutable { got += v.value(); }));
  EXPECT_TRUE(receive_by(
      std::function<void(std::optional<std::string>)>([&](auto v) { got += v.value(); })));
  static std::string* target;
  target = &got;
  EXPECT_TRUE(receive_by(+[](std::optional<std::string> v) { *target += v.value(); }));
  EXPECT_EQ(got, "xxxxxxxx");
}

TEST(select, is_a_cancellation_point) {
  for (const unsigned workers : {1u, 2u}) {
    runtime rt({.workers = workers});
    rt.run([] {
      channel<std::unique_ptr<int>> a;
      channel<int> ready(1);
      auto value = std::make_unique<int>(1);
      bool waited = false, refused = false, for_ever = false;
      fiber f([&] {
        waited = canceled([&] {
          select(on_send(a, std::move(value), nothing), on_receive(a, [](std::unique_ptr<int>) {}));
        });
        ready.try_send(1);
        refused = canceled([&] { select(on_receive(ready, [](int) {}), otherwise(nothing)); });
        for_ever = canceled([&] { select(); });
      });
      this_fiber::sleep_for(1ms);
      f.request_stop();
      f.join();
      EXPECT_TRUE(waited);
      EXPECT_TRUE(refused);
      EXPECT_TRUE(for_ever);
      EXPECT_NE(value, nullptr);
      EXPECT_EQ(ready.size(), 1u);
      fiber sleeper([&] { for_ever = !canceled([&] { select(); }); });
      this_fiber::sleep_for(1ms);
      sleeper.request_stop();
      sleeper.join();
      EXPECT_FALSE(for_ever);
    });
  }
}

TEST(select, ends_with_the_scope) {
  const auto selects = [] {
    channel<int> c;
    const deadline_scope limit(2ms);
    EXPECT_THROW(select(on_receive(c, [](int) {}), after(1h, nothing)), deadline_exceeded);
    EXPECT_THROW(select(), deadline_exceeded);
    EXPECT_THROW(select(otherwise(nothing)), deadline_exceeded);
  };
  selects();
  runtime({.workers = 1}).run(selects);
}
}  // namespace weft::test
