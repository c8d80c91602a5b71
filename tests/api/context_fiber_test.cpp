// Contexts and fibers: parking inside, moving about while suspended, exceptions in flight.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
#include <weft/context.hpp>

#include "support/chaotic.hpp"
#include "support/dumps.hpp"
#include "support/places.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// Gives way until a dump has both. No regular expression: libstdc++'s recur over what they match.
void until_shown(const char* one, const char* other) {
  until([=] {
    const std::string all = dumped(dump_detail::every_fiber);
    const auto at = all.find(one);
    return at != std::string::npos && all.find(other, at) != std::string::npos;
  });
}

class fibers_in_contexts : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, fibers_in_contexts, testing::Values(1u, 2u, 4u));

TEST_P(fibers_in_contexts, park_as_a_whole) {
  rt.run([] {
    std::vector<fiber> all;
    std::atomic<int> sum = 0;
    for (int f = 0; f < 16; ++f) {
      all.emplace_back([&sum, f] {
        const fiber::id me = this_fiber::get_id();
        context<int> c([&](auto& yield) {
          for (int i = 0; i < 50; ++i) {
            if (i % 3 == 0) this_fiber::yield();
            if (i % 7 == f % 7) this_fiber::sleep_for(50us);
            if (i % 10 == 0) fiber([] { this_fiber::yield(); }).join();
            blocking([&] { EXPECT_EQ(this_fiber::get_id(), fiber::id()); });
            EXPECT_EQ(this_fiber::get_id(), me);
            yield(1);
          }
        });
        while (const auto one = c.resume()) {
          sum += *one;
          this_fiber::yield();
        }
      });
    }
    for (fiber& each : all) each.join();
    EXPECT_EQ(sum, 16 * 50);
  });
}

TEST_P(fibers_in_contexts, park_at_any_depth) {
  rt.run([] {
    std::vector<fiber> all;
    std::atomic<int> wrong = 0;
    for (int f = 0; f < 8; ++f) {
      all.emplace_back([&wrong] {
        const auto nested = [&](const auto& self, int depth) -> int {
          context<int> c([&](auto& yield) {
            this_fiber::yield();
            for (int i = 0; i < 2; ++i) yield(depth == 0 ? 1 : 1 + self(self, depth - 1));
          });
          const int a = *c.resume();
          this_fiber::yield();
          const int b = *c.resume();
          if (a != b) ++wrong;
          return a;
        };
        if (nested(nested, 5) != 6) ++wrong;
      });
    }
    for (fiber& each : all) each.join();
    EXPECT_EQ(wrong, 0);
  });
}

// Handed from fiber to fiber, and to kernel threads.
TEST_P(fibers_in_contexts, hand_them_on_while_they_are_suspended) {
  rt.run([] {
    context<int> c([](auto& yield) {
      for (int i = 0;; ++i) {
        try {
          throw i;
        } catch (int) {  // suspended within a handler
          yield(i);
          EXPECT_EQ(std::uncaught_exceptions(), 0);
          try {
            throw;
          } catch (int again) {
            EXPECT_EQ(again, i);
          }
        }
      }
    });
    for (int i = 0; i < times(200); ++i) {
      if (i % 10 == 0) {
        std::thread([&] { EXPECT_EQ(c.resume(), i); }).join();
      } else {
        fiber([&c, i] {
          this_fiber::yield();
          context<int> moved = std::move(c);
          EXPECT_EQ(moved.resume(), i);
          c = std::move(moved);
        }).join();
      }
    }
  });
}

TEST_P(fibers_in_contexts, may_be_asked_to_stop_there) {
  rt.run([] {
    bool unwound = false;
    fiber f([&] {
      context<> c([&](auto& yield) {
        yield();
        try {
          this_fiber::sleep_for(1h);
        } catch (const operation_canceled&) {
          unwound = true;
          throw;
        }
      });
      c.resume();
      c.resume();
      ADD_FAILURE() << "operation_canceled comes out of resume()";
    });
    this_fiber::sleep_for(1ms);
    f.request_stop();
    f.join();
    EXPECT_TRUE(unwound);
  });
}

// A context resumed by a destructor that runs while its fiber unwinds is shielded like that fiber.
TEST_P(fibers_in_contexts, are_shielded_there_while_they_unwind) {
  rt.run([] {
    bool slept = false;
    fiber f([&] {
      struct last {
        bool& done;
        ~last() {
          context<> c([this](auto&) {
            EXPECT_EQ(std::uncaught_exceptions(), 0);
            this_fiber::sleep_for(1us);
            done = true;
          });
          EXPECT_EQ(std::uncaught_exceptions(), 1);
          c.resume();
        }
      };
      const last guard{slept};
      this_fiber::sleep_for(1h);
    });
    this_fiber::sleep_for(1ms);
    f.request_stop();
    f.join();
    EXPECT_TRUE(slept);
  });
}

TEST_P(fibers_in_contexts, park_while_they_are_destroyed) {
  rt.run([] {
    for (int i = 0; i < times(50); ++i) {
      bool gone = false;
      {
        struct sleeper {
          bool& flag;
          ~sleeper() {
            this_fiber::sleep_for(10us);
            flag = true;
          }
        };
        context<> c([&](auto& yield) {
          const sleeper local{gone};
          yield();
        });
        c.resume();
      }
      EXPECT_TRUE(gone);
    }
  });
}

TEST_P(fibers_in_contexts, are_on_their_own_stack_afterwards) {
  rt.run([] {
    const fiber sleeper({.name = "sleeper"}, [] {
      context<> c([](auto& yield) {
        yield();
        throw 1;
      });
      c.resume();
      try {
        c.resume();
      } catch (int) {
      }
      sleep_in_depth(3);
    });
    until_shown("\"sleeper\" parked", "sleep_in_depth");
  });
}

TEST(fiber_in_a_context, is_dumped_with_its_stack_there) {
  runtime rt({.workers = 1});
  rt.run([] {
    const fiber sleeper({.name = "sleeper"}, [] {
      context<> c([](auto&) { sleep_in_depth(3); });
      c.resume();
    });
    until_shown("\"sleeper\" parked", "sleep_in_depth");
  });
}

// Its frames there, and those of whoever waits for the context.
[[gnu::noinline]] void consume_in_a_fiber(context<>& c) {
  c.resume();
  asm volatile("");  // no tail call
}

TEST(fiber_in_a_context, is_dumped_with_those_who_have_resumed_it) {
  runtime rt({.workers = 1});
  rt.run([] {
    const fiber sleeper({.name = "sleeper"}, [] {
      context<> outer([](auto&) {
        context<> inner([](auto&) { sleep_in_depth(3); });
        consume_in_a_fiber(inner);
      });
      consume_in_a_fiber(outer);
    });
    std::string all;
    until([&] {
      all = dumped(dump_detail::every_fiber);
      return all.find("\"sleeper\" parked") != std::string::npos;
    });
    all = all.substr(all.find("\"sleeper\" parked"));
    const auto sleeps = all.find("sleep_in_depth");
    const auto inner = all.find("consume_in_a_fiber", sleeps);
    EXPECT_NE(inner, std::string::npos) << all;
    EXPECT_NE(all.find("consume_in_a_fiber", inner + 1), std::string::npos) << all;
  });
}

TEST(fiber_in_a_context, is_no_measure_of_its_stack) {
  runtime rt({.workers = 1, .measure_stacks = true});
  rt.run([] {
    const fiber sleeper({.site = {"context_measured.cpp", 1}}, [] {
      context<> c({.stack_size = 1 << 20}, [](auto&) {
        volatile char frame[500 * 1024];
        for (auto& each : frame) each = 1;
        this_fiber::sleep_for(1h);
      });
      c.resume();
    });
    until_shown("context_measured.cpp:1", "    #2 ");
    for (const stack_use_of_site& site : stack_use()) {
      const bool ours = site.file && std::string_view(site.file) == "context_measured.cpp";
      EXPECT_TRUE(!ours || site.deepest < 256 * 1024) << site.deepest;
    }
  });
}

// The child is a plain thread, in the middle of two contexts.
TEST(context_of_a_forked_child, goes_on) {
  if (forked_with_locks_held) GTEST_SKIP() << "gcc's AddressSanitizer";
  runtime rt({.workers = 1});
  rt.run([] {
    context<int> outer([](auto& yield) {
      context<int> inner([](auto& give) {
        give(static_cast<int>(::fork()));
        give(7);
      });
      yield(*inner.resume());
      yield(*inner.resume());
    });
    const int child = *outer.resume();
    const int seven = *outer.resume();
    if (child == 0) ::_exit(seven);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
  });
}
}  // namespace
}  // namespace weft::test
