// What ends the process says which fiber it was and what is to be done.
#include <gtest/gtest.h>
#include <pthread.h>

#include <csignal>
#include <stdexcept>
#include <thread>

#include "support/fibers.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class terminate_death : public testing::Test {
 protected:
  terminate_death() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

void fail_named() {
  runtime rt({.workers = 1});
  fiber_options options = on(rt);
  options.name = "parser";
  fiber f(options, [] { throw std::runtime_error("no closing brace"); });
  f.join();
}

TEST_F(terminate_death, an_exception_leaving_a_fiber_names_it) {
  EXPECT_DEATH(fail_named(), "weft: an exception left fiber [0-9]+ \"parser\": no closing brace");
}

TEST_F(terminate_death, of_a_type_that_is_no_std_exception) {
  EXPECT_DEATH(fiber([] { throw 5; }).join(), "weft: an exception left fiber [0-9]+: i");
}

TEST_F(terminate_death, of_a_detached_fiber) {
  EXPECT_DEATH(
      {
        fiber([] { throw std::logic_error("alone"); }).detach();
        std::this_thread::sleep_for(10s);
      },
      "left fiber [0-9]+: alone");
}

TEST_F(terminate_death, operation_canceled_that_nobody_asked_for) {
  EXPECT_DEATH(fiber([] { throw operation_canceled(); }).join(),
               "weft::operation_canceled, and nobody asked the fiber to stop");
}

TEST_F(terminate_death, calls_the_terminate_handler) {
  EXPECT_EXIT(
      {
        std::set_terminate([] { std::_Exit(42); });
        fiber([] { throw 5; }).join();
      },
      testing::ExitedWithCode(42), "");
}

TEST_F(terminate_death, destroying_a_runtime_from_its_own_fiber) {
  EXPECT_DEATH(
      {
        auto* rt = new runtime({.workers = 1});
        rt->run([&] { delete rt; });
      },
      "weft: fiber [0-9]+ ends its own runtime, and would wait for itself");
}

TEST_F(terminate_death, shutting_a_runtime_down_from_its_own_fiber) {
  EXPECT_DEATH(
      {
        runtime rt({.workers = 2});
        rt.run([&] { rt.shutdown(1s); });
      },
      "weft: fiber [0-9]+ ends its own runtime");
}

TEST_F(terminate_death, a_fiber_that_destroys_its_own_handle) {
  EXPECT_DEATH(
      {
        runtime rt({.workers = 1});
        rt.run([] {
          auto* handle = new fiber;
          *handle = fiber([handle] {
            this_fiber::yield();
            delete handle;
          });
          this_fiber::sleep_for(1h);
        });
      },
      "weft: fiber [0-9]+ destroys the handle of itself");
}

TEST_F(terminate_death, pthread_exit_in_a_fiber) {
  if (detail::thread_sanitizer) GTEST_SKIP() << "ThreadSanitizer ends the process first";
  EXPECT_DEATH(fiber([] { ::pthread_exit(nullptr); }).join(),
               "pthread_exit or pthread_cancel inside fiber");
}

TEST_F(terminate_death, a_destructor_that_throws_while_unwinding) {
  EXPECT_DEATH(run([] {
                 struct thrower {
                   ~thrower() noexcept(false) {
                     this_fiber::yield();
                     throw 2;
                   }
                 };
                 const thrower t;
                 throw 1;
               }),
               "");
}

TEST_F(terminate_death, stack_overflow_is_a_fault) {
  struct deep {
    static int down(int n) {
      volatile char frame[2000];
      frame[n % 2000] = 1;
      return n == 0 ? 0 : down(n - 1) + frame[n % 2000];
    }
  };
  const auto overflow = [] { run([] { return deep::down(1'000'000); }); };
  if (sanitized) {  // which catches the signal, and knows a stack's end
    EXPECT_DEATH(overflow(), "Sanitizer: stack-overflow");
  } else {
    EXPECT_EXIT(overflow(), testing::KilledBySignal(SIGSEGV), "");
  }
}

TEST_F(terminate_death, no_death_when_the_exception_was_caught) {
  runtime rt({.workers = 1});
  fiber f(on(rt), [] {
    try {
      throw std::runtime_error("caught");
    } catch (const std::exception&) {
      this_fiber::yield();
    }
  });
  f.join();
}

TEST_F(terminate_death, no_death_when_a_stopped_fiber_ends_by_operation_canceled) {
  runtime rt({.workers = 1});
  fiber f(on(rt), [](std::stop_token stop) {
    until([&] { return stop.stop_requested(); });
    throw operation_canceled();
  });
  f.request_stop();
  f.join();
}

// Callbacks run before the fiber's own word knows of the request; its token does already.
TEST_F(terminate_death, nor_when_it_ends_while_a_stop_callback_runs) {
  runtime rt({.workers = 1});
  fiber f(on(rt), [](std::stop_token stop) {
    until([&] { return stop.stop_requested(); });
    throw operation_canceled();
  });
  const std::stop_callback holds_up(f.get_stop_token(), [&] {
    while (rt.stats().fibers_alive != 0) std::this_thread::yield();
  });
  f.request_stop();
  f.join();
}
}  // namespace
}  // namespace weft::test
