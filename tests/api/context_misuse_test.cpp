// What is done wrong with contexts and generators ends the process with a line. Overflows of their
// stacks are reported as a fiber's are. Each runs in a child process.
#include <gtest/gtest.h>

#include <pthread.h>

#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>
#include <weft/generator.hpp>

#include "support/death.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using testing::KilledBySignal;

class context_misuse_death : public testing::TestWithParam<bool> {
 protected:
  context_misuse_death() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  // On a fiber or on a kernel thread.
  template <class F>
  void run(F&& f) {
    if (!GetParam()) return f();
    runtime rt({.workers = 1});
    rt.run(f);
  }
  std::string by() const { return GetParam() ? "fiber [0-9]+" : "a kernel thread"; }
};
INSTANTIATE_TEST_SUITE_P(on_a_fiber, context_misuse_death, testing::Bool());

TEST_P(context_misuse_death, resuming_an_ended_one) {
  EXPECT_DEATH(run([] {
                 context<> c([](auto&) {});
                 c.resume();
                 c.resume();
               }),
               "^weft: " + by() + " resumes a weft::context that holds no computation");
}

TEST_P(context_misuse_death, resuming_an_empty_one) {
  EXPECT_DEATH(run([] { context<int>().resume(); }), "holds no computation");
  EXPECT_DEATH(run([] { context<int>().throw_into(1); }), "holds no computation");
}

TEST_P(context_misuse_death, resuming_itself) {
  EXPECT_DEATH(run([] {
                 context<> c;
                 c = context<>([&](auto&) { c.resume(); });
                 c.resume();
               }),
               "^weft: weft::context 0x[0-9a-f]+ is running, and " + by() + " resumes it");
}

TEST_P(context_misuse_death, destroying_itself) {
  EXPECT_DEATH(run([] {
                 context<> c;
                 c = context<>([&](auto&) { c = context<>(); });
                 c.resume();
               }),
               "^weft: weft::context 0x[0-9a-f]+ is running, and " + by() + " destroys it");
}

TEST_P(context_misuse_death, moving_it_while_it_runs) {
  EXPECT_DEATH(run([] {
                 context<> c;
                 context<> other;
                 c = context<>([&](auto&) { other = std::move(c); });
                 c.resume();
               }),
               "^weft: a weft::context was moved from or replaced while it ran");
}

TEST_P(context_misuse_death, yielding_from_a_context_inside) {
  EXPECT_DEATH(run([] {
                 context<> outer([](auto& yield) {
                   context<> inner([&](auto&) { yield(); });
                   inner.resume();
                 });
                 outer.resume();
               }),
               "^weft: " + by() + " yields for weft::context 0x[0-9a-f]+, and is not what runs");
}

TEST_P(context_misuse_death, yielding_from_elsewhere) {
  EXPECT_DEATH(run([] {
                 context<>::yielder* kept = nullptr;
                 context<> c([&](auto& yield) {
                   kept = &yield;
                   yield();
                 });
                 c.resume();
                 (*kept)();
               }),
               "is not what runs in it");
}

TEST_P(context_misuse_death, yielding_on_a_thread_that_it_has_started) {
  EXPECT_DEATH(run([] {
                 context<> c([](auto& yield) { std::thread([&] { yield(); }).join(); });
                 c.resume();
               }),
               "^weft: a kernel thread yields for");
}

TEST(context_on_a_fiber_misuse_death, yielding_inside_blocking) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(weft::run([] {
                 context<> c([](auto& yield) { blocking([&] { yield(); }); });
                 c.resume();
               }),
               "is not what runs in it");
}

TEST_P(context_misuse_death, swallowing_its_end) {
  EXPECT_DEATH(run([] {
                 context<> c([](auto& yield) {
                   for (;;) {
                     try {
                       yield();
                     } catch (...) {
                     }
                   }
                 });
                 c.resume();
               }),
               "is destroyed, and yields again: it has swallowed context_destroyed");
  EXPECT_DEATH(run([] {
                 context<> c([](auto& yield) {
                   try {
                     yield();
                   } catch (...) {
                   }
                 });
                 c.resume();
               }),
               "is destroyed, and returns as if nothing had happened");
}

TEST_P(context_misuse_death, leaving_by_another_exception_when_destroyed) {
  EXPECT_DEATH(run([] {
                 context<> c([](auto& yield) {
                   try {
                     yield();
                   } catch (...) {
                     throw std::runtime_error("instead");
                   }
                 });
                 c.resume();
               }),
               "is destroyed, and another exception leaves it: instead");
}

TEST_P(context_misuse_death, of_generators) {
  EXPECT_DEATH(run([] {
                 generator<int> g([](auto&) {});
                 generator<int> moved = std::move(g);
                 static_cast<void>(g.begin());
               }),
               "resumes a weft::generator that holds no computation");
  EXPECT_DEATH(run([] {
                 generator<int> g([](auto&) {});
                 auto i = g.begin();
                 ++i;
               }),
               "resumes a weft::generator that holds no computation");
  EXPECT_DEATH(run([] {
                 generator<int> g([](auto& yield) {
                   generator<int> begun([](auto& give) { give(1); });
                   static_cast<void>(begun.begin());
                   yield.all(std::move(begun));
                 });
                 static_cast<void>(g.begin());
               }),
               "has a generator yield all elements of another that has begun");
}

TEST(context_misuse, pthread_exit_inside_is_refused) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(std::thread([] {
                 context<> c([](auto&) { ::pthread_exit(nullptr); });
                 c.resume();
               }).join(),
               "pthread_exit or pthread_cancel inside a weft::context, on a kernel thread");
}

// -- overflow

class context_overflow : public faults_in_a_child {};

[[gnu::noinline]] int overflow_context(int n) {
  volatile char frame[200];
  frame[n % 200] = 1;
  const int below = n == 0 ? 0 : overflow_context(n - 1);
  return below + frame[n % 200];
}

void overflow_in_a_context() {
  context<int> c({.stack_size = 64 * 1024}, [](auto& yield) {
    yield(0);
    yield(overflow_context(1'000'000));
  });
  c.resume();
  c.resume();
}

const std::string stack_of_64 =
    ": its stack of 64 KiB \\[0x[0-9a-f]+, 0x[0-9a-f]+\\) ended at the fault address "
    "0x[0-9a-f]+\nweft:   #0(.|\n)*weft: raise context_options::stack_size \\(now 65536\\)\n";

TEST_F(context_overflow, on_a_fiber_names_it) {
  EXPECT_EXIT(
      {
        runtime rt({.workers = 1});
        fiber_options options = on(rt);
        options.name = "reader";
        fiber(options, overflow_in_a_context).join();
      },
      KilledBySignal(SIGSEGV),
      "^weft: stack overflow in a weft::context or generator of fiber [0-9]+ \"reader\" "
      "\\(spawned at [^\n]*\\)" +
          stack_of_64);
}

TEST_F(context_overflow, on_a_kernel_thread_without_a_runtime) {
  EXPECT_EXIT(
      std::thread(overflow_in_a_context).join(), KilledBySignal(SIGSEGV),
      "^weft: stack overflow in a weft::context or generator of a kernel thread" + stack_of_64);
}

TEST_F(context_overflow, after_a_park) {
  EXPECT_EXIT(weft::run([] {
                context<int> c([](auto& yield) {
                  this_fiber::sleep_for(std::chrono::milliseconds(1));
                  yield(overflow_context(1'000'000));
                });
                c.resume();
              }),
              KilledBySignal(SIGSEGV), "stack overflow in a weft::context or generator of fiber");
}

// The fiber's own stack, after and beside contexts.
TEST_F(context_overflow, of_the_fiber_itself_is_the_fibers) {
  EXPECT_EXIT(weft::run([] {
                context<int> c([](auto& yield) { yield(1); });
                c.resume();
                return overflow_context(1'000'000);
              }),
              KilledBySignal(SIGSEGV),
              "^weft: stack overflow in fiber [0-9]+ (.|\n)*raise fiber_options::stack_size");
}
}  // namespace
}  // namespace weft::test
