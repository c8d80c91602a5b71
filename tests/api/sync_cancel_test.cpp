// Stop requests and deadline_scope at the waits of semaphore, event, latch and barrier.
#include <gtest/gtest.h>

#include <functional>

#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// One of each, which nobody lets through.
struct places_to_wait {
  counting_semaphore<> units{0};
  event flag;
  latch done{1};
  barrier<> step{2};

  struct place {
    const char* name;
    std::function<void()> wait;
  };
  std::vector<place> all() {
    return {{"acquire", [this] { units.acquire(); }},
            {"try_acquire_for", [this] { EXPECT_TRUE(units.try_acquire_for(1h)); }},
            {"event", [this] { flag.wait(); }},
            {"event wait_for", [this] { EXPECT_TRUE(flag.wait_for(1h)); }},
            {"latch", [this] { done.wait(); }}};
  }
};

class cancelled_sync : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, cancelled_sync, testing::Values(1u, 2u, 4u));

TEST_P(cancelled_sync, a_stop_request_ends_the_wait) {
  runtime rt({.workers = GetParam()});
  rt.run([&] {
    places_to_wait it;
    for (const auto& place : it.all()) {
      bool ended = false;
      fiber waiter([&] { ended = canceled(place.wait); });
      until_parked(rt, 1);
      waiter.request_stop();
      waiter.join();
      EXPECT_TRUE(ended) << place.name;
    }
    // Nobody is queued any more, and nothing was taken.
    it.units.release();
    EXPECT_TRUE(it.units.try_acquire());
    it.flag.set();
    it.done.count_down();
    static_cast<void>(it.step.arrive(2));
  });
}

TEST_P(cancelled_sync, a_stop_request_is_seen_on_entry_before_the_effect) {
  runtime rt({.workers = GetParam()});
  rt.run([&] {
    places_to_wait it;
    it.units.release(5);
    it.flag.set();
    it.done.count_down();
    for (const auto& place : it.all()) {
      bool ended = false;
      fiber waiter([&] {
        until_cancelled();
        ended = canceled(place.wait);
        EXPECT_TRUE(it.units.try_acquire()) << "no cancellation point";
        it.units.release();
      });
      waiter.request_stop();
      waiter.join();
      EXPECT_TRUE(ended) << place.name;
    }
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(it.units.try_acquire());
    static_cast<void>(it.step.arrive(2));
  });
}

TEST_P(cancelled_sync, a_deadline_scope_ends_the_wait) {
  runtime rt({.workers = GetParam()});
  const auto exceeded = [](auto&& wait) {
    try {
      wait();
    } catch (const deadline_exceeded&) {
      return true;
    }
    return false;
  };
  const auto all = [&] {
    places_to_wait it;
    for (const auto& place : it.all()) {
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_TRUE(exceeded([&] {
        const deadline_scope limit(2ms);
        place.wait();
      })) << place.name;
      EXPECT_GE(std::chrono::steady_clock::now() - begin, 2ms);
    }
    // The call's own limit, when that is earlier, is told as such.
    const deadline_scope far(1h);
    EXPECT_FALSE(it.units.try_acquire_for(1ms));
    EXPECT_FALSE(it.flag.wait_for(1ms));
    // Expired before: nothing is taken although there is something.
    it.units.release();
    {
      const deadline_scope past(0s);
      EXPECT_TRUE(exceeded([&] { it.units.acquire(); }));
    }
    EXPECT_TRUE(it.units.try_acquire());
    it.done.count_down();
    static_cast<void>(it.step.arrive(2));
  };
  rt.run(all);
  all();  // on a kernel thread
}

// Others do not wait in vain for who was cancelled.
TEST_P(cancelled_sync, an_arrival_stands) {
  runtime rt({.workers = GetParam()});
  rt.run([&] {
    for (const bool before : {false, true}) {
      barrier<> step(2);
      latch all(2);
      for (const bool at_barrier : {false, true}) {
        bool ended = false;
        fiber waiter([&] {
          if (before) until_cancelled();
          ended = canceled([&] { at_barrier ? step.arrive_and_wait() : all.arrive_and_wait(); });
        });
        if (!before) until_parked(rt, 1);
        waiter.request_stop();
        waiter.join();
        EXPECT_TRUE(ended);
      }
      step.arrive_and_wait();
      all.arrive_and_wait();
    }
  });
}

// A unit goes to the waiter or stays: a stop request that wins has taken none.
TEST_P(cancelled_sync, a_stop_request_meets_a_release) {
  runtime rt({.workers = GetParam()});
  rt.run([&] {
    counting_semaphore<> units(0);
    for (int round = 0; round < 2000; ++round) {
      bool got = false;
      fiber waiter([&] { got = !canceled([&] { units.acquire(); }); });
      for (int i = round % 3; i > 0; --i) this_fiber::yield();
      fiber releaser([&] { units.release(); });
      for (int i = round % 5; i > 0; --i) this_fiber::yield();
      waiter.request_stop();
      waiter.join();
      releaser.join();
      ASSERT_EQ(units.try_acquire(), !got) << round;
    }
  });
}

// A destructor's wait is shielded while the fiber unwinds.
TEST_P(cancelled_sync, a_wait_of_the_unwinding_runs_its_course) {
  runtime rt({.workers = GetParam()});
  rt.run([&] {
    event asked;
    event answer;
    bool waited = false;
    struct last_words {
      event& asked;
      event& answer;
      bool& waited;
      ~last_words() {
        asked.set();
        answer.wait();
        waited = true;
      }
    };
    fiber unwinding([&] {
      const last_words it{asked, answer, waited};
      counting_semaphore<>(0).acquire();
    });
    until_parked(rt, 1);
    unwinding.request_stop();
    asked.wait();
    EXPECT_FALSE(waited);
    answer.set();
    unwinding.join();
    EXPECT_TRUE(waited);
  });
}

// ~runtime asks all to stop: those who wait here end.
TEST_P(cancelled_sync, the_end_of_a_runtime_ends_the_waits) {
  places_to_wait it;
  std::atomic<int> ended{0};
  {
    runtime rt({.workers = GetParam()});
    for (int i = 0; i < 5; ++i) {
      fiber(on(rt), [&it, &ended, i] {
        if (canceled(it.all()[static_cast<std::size_t>(i)].wait)) ++ended;
      }).detach();
    }
    until_parked(rt, 5);
  }
  EXPECT_EQ(ended, 5);
  it.done.count_down();
  static_cast<void>(it.step.arrive(2));
}
}  // namespace
}  // namespace weft::test
