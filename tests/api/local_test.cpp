// weft::fiber_local: one value for each fiber and thread, and how it comes to be.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include <weft/generator.hpp>
#include <weft/local.hpp>

#include "support/places.hpp"

namespace weft::test {
namespace {
class locals : public anywhere {
 protected:
  // On a fiber or a thread that ends before this returns.
  template <class F>
  void run_and_end(F&& f) {
    if (GetParam() == 0) {
      std::thread(std::forward<F>(f)).join();
    } else {
      run([&] { fiber(std::forward<F>(f)).join(); });
    }
  }
};
INSTANTIATE_TEST_SUITE_P(workers, locals, testing::Values(0u, 1u, 2u, 4u));

TEST_P(locals, begin_with_their_first_value) {
  run_and_end([] {
    fiber_local<int> zero;
    fiber_local<std::string> text(std::string("text"));
    int made = 0;
    fiber_local<std::vector<int>> by_call([&] { return std::vector(3, ++made); });
    EXPECT_EQ(*zero, 0);
    EXPECT_EQ(text->size(), 4u);
    EXPECT_EQ(by_call.get_if(), nullptr);
    EXPECT_EQ(made, 0);
    EXPECT_EQ(by_call->at(2), 1);
    EXPECT_EQ(by_call.get_if(), &by_call.get());
    EXPECT_EQ(made, 1);
    by_call.reset();
    EXPECT_EQ(by_call->at(2), 2);
  });
}

TEST_P(locals, hold_what_neither_moves_nor_copies) {
  run_and_end([] {
    fiber_local<std::atomic<int>> counter;
    ++*counter;
    EXPECT_EQ(counter->load(), 1);
  });
}

TEST_P(locals, belong_to_one_fiber_each) {
  run([this] {
    fiber_local<int> mine(-1);
    *mine = 42;
    std::atomic<int> wrong = 0;
    const auto use = [&](int i) {
      if (*mine != -1) ++wrong;
      for (int k = 0; k < 50; ++k) {
        *mine = i * 1000 + k;
        this_fiber::yield();
        if (*mine != i * 1000 + k) ++wrong;
      }
    };
    std::vector<fiber> fibers;
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) {
      if (GetParam() == 0) {
        threads.emplace_back(use, i);
      } else {
        fibers.emplace_back(use, i);
      }
    }
    for (fiber& each : fibers) each.join();
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(*mine, 42);
  });
}

TEST_P(locals, keep_their_address_however_many_there_are) {
  run_and_end([] {
    std::vector<std::unique_ptr<fiber_local<int>>> all;
    std::vector<int*> where;
    for (int i = 0; i < 1000; ++i) {
      all.push_back(std::make_unique<fiber_local<int>>(i));
      where.push_back(&**all.back());
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(&**all[i], where[i]);
      EXPECT_EQ(**all[i], static_cast<int>(i));
    }
  });
}

TEST_P(locals, are_made_by_the_next_use_when_making_one_throws) {
  run_and_end([] {
    int tries = 0;
    fiber_local<int> local([&]() -> int {
      if (++tries < 3) throw std::runtime_error("not yet");
      return tries;
    });
    EXPECT_THROW(local.get(), std::runtime_error);
    EXPECT_EQ(local.get_if(), nullptr);
    EXPECT_THROW(local.get(), std::runtime_error);
    EXPECT_EQ(*local, 3);
  });
}

struct lives {
  static inline std::atomic<int> alive = 0;
  lives() { ++alive; }
  lives(const lives&) { ++alive; }
  ~lives() { --alive; }
};

// The slot of one that is gone is another's, whose value the fiber does not have.
TEST_P(locals, outlive_no_object_that_takes_their_place) {
  run_and_end([] {
    for (int i = 0; i < 100; ++i) {
      fiber_local<std::pair<lives, int>> local;
      EXPECT_EQ(local->second, 0);
      local->second = i + 1;
      EXPECT_EQ(lives::alive, 1);
    }
    EXPECT_EQ(lives::alive, 0) << "its own value goes with the object";
  });
}

TEST_P(locals, of_other_fibers_may_outlive_their_object) {
  run([this] {
    auto first = std::make_unique<fiber_local<lives>>();
    std::atomic<int> step = 0;
    const auto holder = [&] {
      first->get();
      step = 1;
      until([&] { return step == 2; });
      fiber_local<int> in_its_place(5);
      EXPECT_EQ(lives::alive, 1);
      EXPECT_EQ(*in_its_place, 5);
      EXPECT_EQ(lives::alive, 0) << "it is destroyed when its slot is needed";
      fiber_local<lives> last;
      last.get();
    };
    fiber f;
    std::thread t;
    if (GetParam() == 0) {
      t = std::thread(holder);
    } else {
      f = fiber(holder);
    }
    until([&] { return step == 1; });
    first.reset();
    EXPECT_EQ(lives::alive, 1);
    step = 2;
    if (t.joinable()) t.join();
    if (f.joinable()) f.join();
    EXPECT_EQ(lives::alive, 0);
  });
}

TEST_P(locals, are_the_fibers_in_contexts_and_in_blocking) {
  run_and_end([] {
    fiber_local<int> local(1);
    *local = 7;
    generator<int> g([&](auto& yield) {
      yield(*local);
      *local = 8;
      yield(blocking([&] { return ++*local; }));
    });
    auto i = g.begin();
    EXPECT_EQ(*i, 7);
    ++i;
    EXPECT_EQ(*i, 9);
    EXPECT_EQ(*local, 9);
  });
}

}  // namespace
}  // namespace weft::test
