// std::latch's and std::barrier's meaning, and the event's, among fibers, kernel threads and both.
#include <gtest/gtest.h>

#include <memory>

#include "support/crew.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class meeting : public by_crew {};
INSTANTIATE_TEST_SUITE_P(crews, meeting, test::crews, name_of_crew);

TEST_P(meeting, at_a_latch) {
  constexpr int n = 150;
  latch begin(1);
  latch done(n);
  std::atomic<int> before{0};
  int plain[n] = {};
  on_all(GetParam(), n + 1, [&](int i) {
    if (i > 0) {
      begin.wait();
      plain[i - 1] = i;
      ++before;
      done.count_down();
      return;
    }
    EXPECT_FALSE(done.try_wait());
    begin.count_down();
    done.wait();
    EXPECT_EQ(before, n);
    for (int k = 0; k < n; ++k) EXPECT_EQ(plain[k], k + 1);
    EXPECT_TRUE(done.try_wait());
    done.wait();
  });
}

TEST_P(meeting, arrive_and_wait_at_a_latch) {
  latch all(7);
  std::atomic<int> arrived{0};
  on_all(GetParam(), 6, [&](int i) {
    arrived += i == 0 ? 2 : 1;
    all.arrive_and_wait(i == 0 ? 2 : 1);
    EXPECT_EQ(arrived, 7);
  });
}

// Who sees the count at 0 destroys the latch, while the last count_down() is still inside.
TEST_P(meeting, a_latch_may_be_destroyed_by_who_has_waited) {
  std::atomic<latch*> shown{nullptr};
  on_all(GetParam(), 2, [&](int i) {
    for (int k = 0; k < times(300); ++k) {
      if (i == 0) {
        auto* const mine = new latch(1);
        shown = mine;
        if (k % 2 == 0) {
          mine->wait();
        } else {
          until([&] { return mine->try_wait(); });
        }
        delete mine;
      } else {
        latch* theirs = nullptr;
        while (!(theirs = shown.exchange(nullptr))) this_fiber::yield();
        theirs->count_down();
      }
    }
  });
}

TEST_P(meeting, at_a_barrier_in_lockstep) {
  constexpr int n = 6;
  const int phases = times(400);
  int phase = 0;  // written by the completion alone
  barrier step(n, [&]() noexcept { ++phase; });
  on_all(GetParam(), n, [&](int i) {
    for (int k = 0; k < phases; ++k) {
      ASSERT_EQ(phase, k);
      if ((i + k) % 5 == 0) this_fiber::yield();
      if (i == 0) {
        auto token = step.arrive();
        step.wait(std::move(token));
      } else {
        step.arrive_and_wait();
      }
    }
  });
  EXPECT_EQ(phase, phases);
}

TEST_P(meeting, a_barrier_does_not_expect_who_has_dropped_out) {
  constexpr int n = 5;
  int phases = 0;
  barrier step(n, [&]() noexcept { ++phases; });
  on_all(GetParam(), n, [&](int i) {
    for (int k = 0; k < i; ++k) step.arrive_and_wait();
    step.arrive_and_drop();
  });
  EXPECT_EQ(phases, n);
}

// The completion parks, and nobody goes on before it has returned.
TEST_P(meeting, a_completion_may_park) {
  constexpr int n = 4;
  bool completed = false;
  barrier step(n, [&]() noexcept {
    for (int i = 0; i < 20; ++i) this_fiber::yield();
    this_fiber::sleep_for(1ms);
    completed = true;
  });
  on_all(GetParam(), n, [&](int) {
    step.arrive_and_wait();
    EXPECT_TRUE(completed);
  });
}

TEST_P(meeting, a_barrier_may_be_destroyed_by_who_was_let_go) {
  std::atomic<barrier<>*> shown{nullptr};
  on_all(GetParam(), 2, [&](int i) {
    for (int k = 0; k < times(300); ++k) {
      if (i == 0) {
        auto* const mine = new barrier<>(2);
        shown = mine;
        mine->arrive_and_wait();
        delete mine;
      } else {
        barrier<>* theirs = nullptr;
        while (!(theirs = shown.exchange(nullptr))) this_fiber::yield();
        static_cast<void>(theirs->arrive());
      }
    }
  });
}

TEST(meeting_place, a_barrier_counts_several_arrivals_of_one) {
  int phases = 0;
  barrier step(3, [&]() noexcept { ++phases; });
  auto first = step.arrive(2);
  EXPECT_EQ(phases, 0);
  auto second = step.arrive();
  EXPECT_EQ(phases, 1);
  step.wait(std::move(first));
  step.wait(std::move(second));
  static_assert(std::is_move_constructible_v<barrier<>::arrival_token>);
  static_assert(!std::is_copy_constructible_v<barrier<>::arrival_token>);
  static_assert(sizeof(barrier<>) == 40);
}

// -- event

TEST_P(meeting, at_an_event) {
  constexpr int n = 150;
  event begin;
  std::atomic<int> through{0};
  int plain = 0;
  on_all(GetParam(), n + 1, [&](int i) {
    if (i > 0) {
      begin.wait();
      EXPECT_EQ(plain, 5);
      ++through;
      return;
    }
    this_fiber::yield();
    plain = 5;
    begin.set();
    begin.set();
    EXPECT_TRUE(begin.is_set());
    begin.wait();
  });
  EXPECT_EQ(through, n);
}

// A reset does not hold back those whom set() has woken; later ones wait for the next set().
TEST_P(meeting, at_an_event_that_is_reset) {
  event ping;
  event pong;
  const int rounds = times(500);
  int plain = 0;
  on_all(GetParam(), 2, [&](int i) {
    for (int k = 0; k < rounds; ++k) {
      event& mine = i == 0 ? ping : pong;
      event& other = i == 0 ? pong : ping;
      if (i == 0) {
        ++plain;
        other.set();
      }
      if (k % 3 == 0) {
        EXPECT_TRUE(mine.wait_for(1h));
      } else {
        mine.wait();
      }
      mine.reset();
      if (i == 1) {
        ++plain;
        other.set();
      }
    }
  });
  EXPECT_EQ(plain, 2 * rounds);
}

TEST_P(meeting, an_event_may_be_destroyed_by_who_was_let_through) {
  std::atomic<event*> shown{nullptr};
  on_all(GetParam(), 2, [&](int i) {
    for (int k = 0; k < times(300); ++k) {
      if (i == 0) {
        auto* const mine = new event;
        shown = mine;
        if (k % 2 == 0) {
          mine->wait();
        } else {
          until([&] { return mine->is_set(); });
        }
        delete mine;
      } else {
        event* theirs = nullptr;
        while (!(theirs = shown.exchange(nullptr))) this_fiber::yield();
        theirs->set();
      }
    }
  });
}

constinit event global_event;
constinit latch global_latch(2);
constinit barrier<> global_barrier(1);

TEST(meeting_place, globals_are_constant_initialised) {
  EXPECT_FALSE(global_event.is_set());
  global_event.set();
  EXPECT_TRUE(global_event.is_set());
  global_event.reset();
  global_latch.count_down(2);
  EXPECT_TRUE(global_latch.try_wait());
  global_barrier.arrive_and_wait();
}
}  // namespace
}  // namespace weft::test
