// What is shielded runs its course, and what comes behind it does not.
#include <gtest/gtest.h>

#include <stdexcept>
#include <weft/cancel_shield.hpp>
#include <weft/deadline.hpp>
#include <weft/event.hpp>

#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// Runs f on a fiber that has been asked to stop.
template <class F>
void asked_to_stop(F&& f) {
  runtime rt({.workers = 1});
  rt.run([&] {
    fiber asked(std::forward<F>(f));
    asked.request_stop();
    asked.join();
  });
}

TEST(cancel_shield, holds_off_a_stop_until_its_end) {
  bool slept = false;
  bool ended = false;
  asked_to_stop([&] {
    {
      const cancel_shield whole;
      slept = !canceled([] { this_fiber::sleep_for(1ms); });
    }
    ended = canceled([] { this_fiber::sleep_for(1h); });
  });
  EXPECT_TRUE(slept);
  EXPECT_TRUE(ended);
}

TEST(cancel_shield, a_wait_that_has_begun_is_not_ended) {
  runtime rt({.workers = 1});
  rt.run([&] {
    event over;
    bool whole_wait = false;
    fiber waiting([&] {
      const cancel_shield whole;
      whole_wait = !canceled([&] { over.wait(); });
    });
    until_parked(rt, 1);
    waiting.request_stop();
    over.set();
    waiting.join();
    EXPECT_TRUE(whole_wait);
  });
}

TEST(cancel_shield, nests_to_any_depth) {
  bool slept = false;
  bool ended = false;
  struct nest {
    static void in(int depth, bool& slept) {
      const cancel_shield one;
      if (depth > 0) return in(depth - 1, slept);
      slept = !canceled([] { this_fiber::sleep_for(1us); });
    }
  };
  asked_to_stop([&] {
    nest::in(600, slept);  // more than a byte counts
    ended = canceled([] { this_fiber::sleep_for(1h); });
  });
  EXPECT_TRUE(slept);
  EXPECT_TRUE(ended);
}

TEST(cancel_shield, holds_off_the_deadline_outside_but_not_one_inside) {
  runtime rt({.workers = 1});
  rt.run([] {
    const deadline_scope passed(0ms);
    {
      const cancel_shield whole;
      EXPECT_NO_THROW(this_fiber::sleep_for(1ms));
      const deadline_scope inside(1ms);
      EXPECT_THROW(this_fiber::sleep_for(1h), deadline_exceeded);
    }
    EXPECT_THROW(this_fiber::sleep_for(1h), deadline_exceeded);
  });
}

TEST(cancel_shield, on_a_kernel_thread) {
  const deadline_scope passed(0ms);
  {
    const cancel_shield whole;
    EXPECT_NO_THROW(this_fiber::sleep_for(1ms));
  }
  EXPECT_THROW(this_fiber::sleep_for(1ms), deadline_exceeded);
}

TEST(cancel_shield, does_not_reach_into_fibers_spawned_inside) {
  bool ended = false;
  asked_to_stop([&] {
    const cancel_shield whole;
    fiber inner([&] { ended = canceled([] { this_fiber::sleep_for(1h); }); });
    inner.request_stop();
    inner.join();
  });
  EXPECT_TRUE(ended);
}

// Destructors wait while an exception is on its way: a limit made outside must not throw in them.
TEST(unwinding, waits_of_destructors_run_their_course) {
  struct waits {
    bool& waited;
    ~waits() {
      this_fiber::sleep_for(1ms);
      waited = true;
    }
  };
  runtime rt({.workers = 1});
  rt.run([] {
    bool waited = false;
    EXPECT_THROW(
        {
          const deadline_scope limit(1ms);
          const waits here{waited};
          this_fiber::sleep_for(1h);
        },
        deadline_exceeded);
    EXPECT_TRUE(waited);
  });
}

TEST(unwinding, a_limit_made_in_a_destructor_holds_there) {
  struct has_a_limit {
    bool& expired;
    ~has_a_limit() {
      const deadline_scope own(1ms);
      try {
        this_fiber::sleep_for(1h);
      } catch (const deadline_exceeded&) {
        expired = true;
      }
    }
  };
  runtime rt({.workers = 1});
  rt.run([] {
    bool expired = false;
    EXPECT_THROW(
        {
          const deadline_scope outer(1h);
          const has_a_limit here{expired};
          throw std::runtime_error("on its way");
        },
        std::runtime_error);
    EXPECT_TRUE(expired);
  });
}
}  // namespace
}  // namespace weft::test
