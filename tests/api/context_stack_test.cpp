// The stacks of contexts: size, number, reuse.
#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>
#include <weft/context.hpp>

#include "support/chaotic.hpp"
#include "support/places.hpp"
#include "support/sanitizer.hpp"
#include "support/stacks.hpp"

namespace weft::test {
namespace {
class context_stacks : public anywhere {};
INSTANTIATE_TEST_SUITE_P(workers, context_stacks, testing::Values(0u, 1u, 2u, 4u));

struct alignas(64) aligned {
  int value = 5;
};
TEST_P(context_stacks, align_what_they_hold) {
  run([] {
    context<bool> c([of = aligned()](auto& yield) {
      alignas(64) aligned local;
      yield(reinterpret_cast<std::uintptr_t>(&of) % 64 == 0 &&
            reinterpret_cast<std::uintptr_t>(&local) % 64 == 0);
    });
    EXPECT_EQ(c.resume(), true);
  });
}

TEST_P(context_stacks, use_stacks_of_the_size_that_is_asked_for) {
  run([] {
    context<std::size_t> large({.stack_size = 8 << 20}, [](auto& yield) {
      volatile char frame[7 << 20];
      frame[0] = 1;
      frame[sizeof frame - 1] = 1;
      yield(sizeof frame);
    });
    EXPECT_EQ(large.resume(), std::size_t{7} << 20);
    EXPECT_EQ(thrown_by([] { context<> c({.stack_size = 1 << 30}, [](auto&) {}); }).code,
              std::errc::invalid_argument);
  });
}

TEST_P(context_stacks, live_by_the_hundred_thousand) {
  const std::size_t count =
      fibers_at_once(static_cast<std::size_t>(times(sanitized ? 5'000 : 100'000)));
  run([count] {
    std::vector<context<std::size_t>> all;
    all.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      all.emplace_back(context_options{.stack_size = 16 * 1024}, [i](auto& yield) {
        for (std::size_t n = i;; ++n) yield(n);
      });
    }
    std::size_t wrong = 0;
    for (std::size_t round = 0; round < 2; ++round) {
      for (std::size_t i = 0; i < count; ++i) wrong += all[i].resume() != i + round;
    }
    EXPECT_EQ(wrong, 0u);
  });
}

// A stack that is given back is used again.
TEST_P(context_stacks, do_not_use_up_stacks) {
  run([] {
    detail::stack_arena& arena = detail::stack_arena::instance();
    const auto some = [] {
      for (int i = 0; i < 100; ++i) {
        context<int> ended([](auto&) {});
        ended.resume();
        context<int> broken([](auto& yield) { yield(1); });
        broken.resume();
        const context<int> fresh([](auto&) {});
      }
    };
    some();
    const std::size_t before = arena.stats().in_use;
    some();
    EXPECT_LE(arena.stats().in_use, before + 64) << "what caches may hold";
  });
}

TEST(context_callables, that_throw_as_they_are_copied_leave_nothing_behind) {
  struct unwilling {
    unwilling() = default;
    unwilling(const unwilling&) { throw std::runtime_error("no copy"); }
    void operator()(context<>::yielder&) const {}
  };
  const unwilling f;
  detail::stack_arena& arena = detail::stack_arena::instance();
  EXPECT_THROW(context<>{f}, std::runtime_error);
  const std::size_t before = arena.stats().in_use;
  EXPECT_THROW(context<>{f}, std::runtime_error);
  EXPECT_LE(arena.stats().in_use, before);
}
}  // namespace
}  // namespace weft::test
