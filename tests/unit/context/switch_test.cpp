// What switch_to promises, seen from C++.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "context/context.hpp"
#include "support/toy_scheduler.hpp"

namespace weft::test {
namespace {

// One context that goes back and forth with the test.
struct partner {
  detail::context main;
  guarded_stack stack;
  detail::context self;
  std::string trace;

  explicit partner(detail::entry_fn entry) : self(detail::prepare(stack.top(), entry)) {}
};

TEST(switch_to, hands_arg_over_in_both_directions) {
  static int to_entry, to_main, to_self;
  static void* seen_by_entry;
  static void* seen_by_self;
  static partner* p;
  partner owner([](void* arg) noexcept {
    seen_by_entry = arg;
    seen_by_self = detail::switch_to(&p->self, p->main, nullptr, &to_main);
    detail::switch_away(&p->self, p->main, nullptr, nullptr);
  });
  p = &owner;
  EXPECT_EQ(detail::switch_to(&p->main, p->self, nullptr, &to_entry), &to_main);
  EXPECT_EQ(seen_by_entry, &to_entry);
  EXPECT_EQ(detail::switch_to(&p->main, p->self, nullptr, &to_self), nullptr);
  EXPECT_EQ(seen_by_self, &to_self);
}

TEST(hop, hands_arg_over_in_both_directions_and_mixes_with_switches) {
  static int to_entry, to_main, to_self, last;
  static void* seen[2];
  static partner* p;
  partner owner([](void* arg) noexcept {
    seen[0] = arg;
    seen[1] = detail::hop(&p->self, p->main, &to_main);
    detail::switch_to(&p->self, p->main, nullptr, seen[1]);
    detail::switch_away(&p->self, p->main, nullptr, &last);
  });
  p = &owner;
  EXPECT_EQ(detail::hop(&p->main, p->self, &to_entry), &to_main);
  EXPECT_EQ(detail::switch_to(&p->main, p->self, nullptr, &to_self), &to_self);
  EXPECT_EQ(detail::hop(&p->main, p->self, nullptr), &last);
  EXPECT_EQ(seen[0], &to_entry);
  EXPECT_EQ(seen[1], &to_self);
}

// after sees `from` complete: it may even be resumed from the very value that after reads.
TEST(switch_to, after_runs_once_when_from_is_complete_and_to_has_not_gone_on) {
  static partner* p;
  partner owner([](void* arg) noexcept {
    p->trace += "entry ";
    detail::switch_to(&p->self, p->main, nullptr, arg);
    p->trace += "self ";
    detail::switch_away(
        &p->self, p->main, [](void*, detail::context*) noexcept { p->trace += "last "; }, arg);
  });
  p = &owner;
  const detail::after_fn after = [](void* arg, detail::context* from) noexcept {
    EXPECT_EQ(arg, p);
    EXPECT_EQ(from, &p->main);
    EXPECT_NE(from->sp, nullptr);
    p->trace += "after ";
  };
  detail::switch_to(&p->main, p->self, after, p);
  p->trace += "main ";
  p->main.sp = nullptr;
  detail::switch_to(&p->main, p->self, after, p);
  EXPECT_EQ(p->trace, "after entry main after self last ");
}

TEST(switch_to, after_of_switch_away_may_free_the_stack_that_was_left) {
  static detail::context main;
  static std::unique_ptr<partner> p;
  p = std::make_unique<partner>([](void*) noexcept {
    detail::switch_away(
        &p->self, main,
        [](void* arg, detail::context* from) noexcept {
          EXPECT_EQ(from, &p->self);
          static_cast<std::unique_ptr<partner>*>(arg)->reset();
        },
        &p);
  });
  detail::switch_to(&main, p->self, nullptr, nullptr);
  EXPECT_EQ(p, nullptr);
}

TEST(switch_to, to_may_be_what_from_held) {
  static detail::context one;  // whichever of the two is suspended
  guarded_stack stack;
  static int turns;
  turns = 0;
  one = detail::prepare(stack.top(), [](void*) noexcept {
    for (;;) {
      ++turns;
      detail::switch_to(&one, one, nullptr, nullptr);
    }
  });
  for (int i = 1; i <= 3; ++i) {
    detail::switch_to(&one, one, nullptr, nullptr);
    EXPECT_EQ(turns, i);
  }
}

// A leaf keeps its locals in the red zone, and everything it can in registers.
[[gnu::noinline]] std::uint64_t leaf(detail::context* from, const detail::context* to,
                                     std::uint64_t x) {
  std::uint64_t a = x * 3, b = x ^ 5, c = x + 7, d = x - 11, e = x * 13, f = x ^ 17, g = x + 19;
  volatile std::uint64_t in_memory[4] = {a, b, c, d};
  double real = static_cast<double>(x) * 0.5;
  long double extended = static_cast<long double>(x) * 0.25L;
  detail::switch_to(from, *to, nullptr, nullptr);
  return a + b + c + d + e + f + g + in_memory[0] + in_memory[3] +
         static_cast<std::uint64_t>(real) + static_cast<std::uint64_t>(extended);
}

TEST(switch_to, leaf_functions_keep_what_they_hold) {
  static partner* p;
  partner owner([](void*) noexcept {
    for (std::uint64_t x = 1u << 20;; x += 3) leaf(&p->self, &p->main, x);
  });
  p = &owner;
  for (std::uint64_t x = 0; x < 4'000; x += 4) {
    const std::uint64_t a = x * 3, c = x + 7, d = x - 11;
    const std::uint64_t sum = a + (x ^ 5) + c + d + x * 13 + (x ^ 17) + (x + 19) + a + d;
    ASSERT_EQ(leaf(&p->main, &p->self, x), sum + x / 2 + x / 4);
  }
}

// A ring with no order: each of 1,000 contexts picks who is next, and folds who came before into
// its own sum, which lives on its stack.
struct crowd {
  static constexpr std::size_t size = 1'000;
  static constexpr int switches = 1'000'000;
  std::mt19937_64 random{12345};
  std::vector<std::unique_ptr<guarded_stack>> stacks;
  std::vector<detail::context> contexts{size};
  std::vector<std::uint64_t> sums = std::vector<std::uint64_t>(size);
  detail::context main;
  std::size_t current = 0;
  int left = switches;
};

crowd* everybody = nullptr;

void member(void* arg) noexcept {
  crowd& c = *everybody;
  const std::size_t self = c.current;
  std::uint64_t sum = 0;
  for (;;) {
    sum = sum * 31 + reinterpret_cast<std::uintptr_t>(arg);
    c.sums[self] = sum;
    if (c.left-- == 0) detail::switch_away(&c.contexts[self], c.main, nullptr, nullptr);
    const std::size_t next = c.random() % crowd::size;
    if (next == self) {
      arg = reinterpret_cast<void*>(self);
      continue;
    }
    c.current = next;
    arg = detail::switch_to(&c.contexts[self], c.contexts[next], nullptr,
                            reinterpret_cast<void*>(self));
  }
}

TEST(switch_to, a_million_among_a_thousand_contexts) {
  crowd c;
  everybody = &c;
  for (auto& context : c.contexts) {
    c.stacks.push_back(std::make_unique<guarded_stack>(16 * 1024));
    context = detail::prepare(c.stacks.back()->top(), &member);
  }
  detail::switch_to(&c.main, c.contexts[0], nullptr, reinterpret_cast<void*>(crowd::size));

  std::mt19937_64 random{12345};
  std::vector<std::uint64_t> expected(crowd::size);
  std::size_t from = crowd::size;
  std::size_t current = 0;
  for (int left = crowd::switches;; --left) {
    expected[current] = expected[current] * 31 + from;
    if (left == 0) break;
    from = current;
    current = random() % crowd::size;
  }
  EXPECT_EQ(c.sums, expected);
}

}  // namespace
}  // namespace weft::test
