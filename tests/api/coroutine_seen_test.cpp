// Coroutines that wait, as explorations and dumps see them: among the fibers.
#include <gtest/gtest.h>

#include <memory>
#include <regex>
#include <set>
#include <string>
#include <weft/coroutine.hpp>
#include <weft/testing.hpp>

#include "support/dumps.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
struct takes_all {
  struct promise_type {
    takes_all get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const { throw; }
  };
};
takes_all take_all_of(std::shared_ptr<channel<int>> c) {
  try {
    while (co_await *c) {
    }
  } catch (const operation_canceled&) {
  }
}

weft::testing::explore_options a_few() {
  weft::testing::explore_options options;
  options.seeds = 3;
  options.print_to = -1;
  return options;
}

TEST(coroutine_seen, by_an_exploration_that_would_leave_it_behind) {
  const auto leaves_one = [] { take_all_of(std::make_shared<channel<int>>()); };
  weft::testing::explore_options options = a_few();
  const auto found = weft::testing::explore(leaves_one, options);
  ASSERT_EQ(found.kind, weft::testing::failure::left_behind) << found.report;
  EXPECT_TRUE(has(found.message, "\n  fiber 2 parked: receive #1")) << found.message;
  EXPECT_EQ(found.abandoned, 0u);
  options.stop_left_behind = true;
  EXPECT_TRUE(weft::testing::explore(leaves_one, options).ok());
  // The next one that fails has nothing to do with it.
  const auto other =
      weft::testing::explore([] { fiber([] { channel<int>().receive(); }).detach(); }, a_few());
  EXPECT_EQ(other.kind, weft::testing::failure::left_behind);
  EXPECT_FALSE(has(dumped(), "fiber 1000000000")) << "of an exploration that is over";
}

TEST(coroutine_seen, by_an_exploration_that_it_ends_in) {
  const auto found = weft::testing::explore(
      [] {
        const auto c = std::make_shared<channel<int>>();
        for (int i = 0; i < 3; ++i) take_all_of(c);
        for (int i = 0; i < 5; ++i) c->send(i);
        c->close();
      },
      100);
  EXPECT_TRUE(found.ok()) << found.report;
}

TEST(coroutine_seen, by_dumps_as_one_that_is_parked) {
  runtime rt({.workers = 1});
  const auto c = std::make_shared<channel<int>>();
  fiber(on(rt), [c] { take_all_of(c); }).join();
  std::string text;
  until([&] {
    text = dumped();
    return has(text, "1 fibers: 1 parked\n");
  });
  EXPECT_TRUE(has(text, "fiber [0-9]+ parked for [0-9.]+ s: receive")) << text;
  until([] { return has(dumped(), "nothing here can wake any of them"); });
  c->close();
  until([] { return !has(dumped(), "parked"); });
}

takes_all take_one_of(std::shared_ptr<channel<int>> c) {
  static_cast<void>(co_await *c);
}

// Their places are in the coroutines, and not one in the library.
TEST(coroutine_seen, by_dumps_at_the_places_where_they_wait) {
  runtime rt({.workers = 1});
  const auto c = std::make_shared<channel<int>>();
  fiber(on(rt), [c] {
    take_all_of(c);
    take_all_of(c);
    take_one_of(c);
  }).join();
  until([&] { return has(dumped(), "3 fibers: 3 parked\n"); });
  std::set<std::string> places;
  const std::string text = dumped(dump_detail::every_fiber);
  const std::regex place("parked for [0-9.]+ s: receive[^\n]*; spawned at ([^\n]+)");
  for (std::sregex_iterator at(text.begin(), text.end(), place), end; at != end; ++at)
    places.insert((*at)[1]);
  EXPECT_EQ(places.size(), 2u) << text;
  c->close();
  until([] { return !has(dumped(), "parked"); });
}
}  // namespace
}  // namespace weft::test
