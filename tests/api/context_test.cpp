// weft::context on kernel threads and on fibers: values, exceptions, destruction, nesting.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>
#include <weft/context.hpp>

#include "support/chaotic.hpp"
#include "support/places.hpp"
#include "support/stacks.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class contexts : public anywhere {};
INSTANTIATE_TEST_SUITE_P(workers, contexts, testing::Values(0u, 1u, 2u, 4u));

// Sets a flag when it goes.
struct flagged {
  bool& gone;
  explicit flagged(bool& flag) : gone(flag) {}
  flagged(const flagged&) = delete;
  flagged& operator=(const flagged&) = delete;
  ~flagged() { gone = true; }
};

TEST_P(contexts, yield_values_until_they_end) {
  run([] {
    context<int> three([](auto& yield) {
      for (int i = 0; i < 3; ++i) yield(i);
    });
    EXPECT_TRUE(three);
    std::vector<int> seen;
    while (const std::optional<int> i = three.resume()) seen.push_back(*i);
    EXPECT_EQ(seen, (std::vector{0, 1, 2}));
    EXPECT_FALSE(three);
  });
}

TEST_P(contexts, run_nothing_before_they_are_resumed) {
  run([] {
    bool begun = false;
    bool dropped = false;
    {
      context<> c([&begun, held = std::make_shared<flagged>(dropped)](auto&) { begun = true; });
      EXPECT_TRUE(c);
      EXPECT_FALSE(dropped);
    }
    EXPECT_FALSE(begun);
    EXPECT_TRUE(dropped);
  });
}

TEST_P(contexts, take_values_and_give_values) {
  run([] {
    context<std::string, int> words([](auto& yield, int n) {
      for (;;) n = yield(std::to_string(n));
    });
    for (int i = 7; i < 10; ++i) EXPECT_EQ(words.resume(i), std::to_string(i));
  });
}

TEST_P(contexts, of_void_tell_whether_they_go_on) {
  run([] {
    int steps = 0;
    context<> c([&](auto& yield) {
      while (++steps < 3) yield();
    });
    EXPECT_TRUE(c.resume());
    EXPECT_TRUE(c.resume());
    EXPECT_FALSE(c.resume());
    EXPECT_EQ(steps, 3);
  });
}

TEST_P(contexts, give_and_take_references_without_a_copy) {
  run([] {
    std::array<int, 2> given{1, 2};
    std::vector<int*> taken;
    context<int&, std::array<int, 2>&> c([&](auto& yield, std::array<int, 2>& first) {
      taken.push_back(&first[0]);
      taken.push_back(&yield(given[1])[1]);
    });
    EXPECT_EQ(c.resume(given), &given[1]);
    EXPECT_EQ(c.resume(given), nullptr);
    EXPECT_EQ(taken, (std::vector{&given[0], &given[1]}));

    context<const std::string&> text([](auto& yield) { yield("a temporary"); });
    EXPECT_EQ(*text.resume(), "a temporary");
  });
}

TEST_P(contexts, move_values_that_cannot_be_copied) {
  run([] {
    context<std::unique_ptr<int>, std::unique_ptr<int>> c([](auto& yield, std::unique_ptr<int> p) {
      for (;;) {
        ++*p;
        p = yield(std::move(p));
      }
    });
    std::unique_ptr<int> p = std::make_unique<int>(0);
    for (int i = 1; i <= 3; ++i) {
      p = *c.resume(std::move(p));
      EXPECT_EQ(*p, i);
    }
  });
}

TEST_P(contexts, copy_what_is_not_given_away) {
  run([] {
    std::string mine = "mine";
    context<std::string> c([&](auto& yield) { yield(mine); });
    EXPECT_EQ(c.resume(), "mine");
    EXPECT_EQ(mine, "mine");
  });
}

// Not inlined: gcc 12 takes one such array, in a frame with others, for another that has gone.
template <std::size_t n>
[[gnu::noinline]] long sum_through_a_context() {
  std::array<int, n> numbers;
  numbers.fill(3);
  context<long> c([numbers](auto& yield) {
    long sum = 0;
    for (const int each : numbers) sum += each;
    yield(sum);
  });
  return *c.resume();
}

TEST_P(contexts, hold_callables_of_any_size) {
  run([] {
    EXPECT_EQ(sum_through_a_context<4>(), 12);
    EXPECT_EQ(sum_through_a_context<250>(), 750);
    EXPECT_EQ(sum_through_a_context<10'000>(), 30'000);  // on the heap
  });
}

TEST_P(contexts, let_exceptions_out_of_resume) {
  run([] {
    bool unwound = false;
    context<int> c([&](auto& yield) {
      const flagged local(unwound);
      yield(1);
      throw std::runtime_error("out");
    });
    EXPECT_EQ(c.resume(), 1);
    EXPECT_THROW(c.resume(), std::runtime_error);
    EXPECT_TRUE(unwound);
    EXPECT_FALSE(c);
  });
}

TEST_P(contexts, let_exceptions_in) {
  run([] {
    context<int> c([](auto& yield) {
      for (int i = 0;; ++i) {
        try {
          yield(i);
        } catch (const std::runtime_error& error) {
          yield(static_cast<int>(std::string(error.what()).size()) * 100);
        }
      }
    });
    EXPECT_EQ(c.resume(), 0);
    EXPECT_EQ(c.throw_into(std::runtime_error("four")), 400);
    EXPECT_EQ(c.resume(), 1);
    EXPECT_THROW(c.throw_into(7), int);
    EXPECT_FALSE(c);

    bool begun = false;
    context<int> fresh([&](auto&) { begun = true; });
    EXPECT_THROW(fresh.throw_into(std::make_exception_ptr(std::logic_error("early"))),
                 std::logic_error);
    EXPECT_FALSE(begun);
  });
}

TEST_P(contexts, unwind_when_they_are_destroyed) {
  run([] {
    bool inner = false, outer = false, caught = false;
    {
      context<> c([&](auto& yield) {
        const flagged first(outer);
        try {
          const flagged second(inner);
          for (;;) yield();
        } catch (const std::exception&) {
          ADD_FAILURE() << "context_destroyed is no std::exception";
        } catch (const context_destroyed& why) {
          caught = why.what() != nullptr;
          throw;
        }
      });
      c.resume();
      EXPECT_FALSE(inner);
    }
    EXPECT_TRUE(inner && outer && caught);
  });
}

TEST_P(contexts, move_and_swap_and_assign) {
  run([] {
    bool gone = false;
    const auto make = [](int from) {
      return context<int>([from](auto& yield) {
        for (int i = from;; ++i) yield(i);
      });
    };
    context<int> a = make(10);
    context<int> b([&](auto& yield) {
      const flagged local(gone);
      yield(20);
    });
    EXPECT_EQ(a.resume(), 10);
    EXPECT_EQ(b.resume(), 20);
    swap(a, b);
    EXPECT_EQ(b.resume(), 11);
    a = std::move(b);
    EXPECT_TRUE(gone);
    EXPECT_FALSE(b);
    EXPECT_EQ(a.resume(), 12);
    a = context<int>();
    EXPECT_FALSE(a);
  });
}

// Each resumes the next, and yields what that has yielded.
int from_depth(int depth) {
  context<int> c([depth](auto& yield) { yield(depth == 0 ? 1 : 1 + from_depth(depth - 1)); });
  return *c.resume();
}

TEST_P(contexts, nest) {
  run([] { EXPECT_EQ(from_depth(times(1000)), times(1000) + 1); });
}

TEST_P(contexts, are_recursive_functions_of_their_own_depth) {
  run([] {
    context<int> c([](auto& yield) {
      const auto hanoi = [&](const auto& self, int n) -> void {
        if (n == 0) return;
        self(self, n - 1);
        yield(n);
        self(self, n - 1);
      };
      hanoi(hanoi, 10);
    });
    int moves = 0;
    while (c.resume()) ++moves;
    EXPECT_EQ(moves, 1023);
  });
}

}  // namespace
}  // namespace weft::test
