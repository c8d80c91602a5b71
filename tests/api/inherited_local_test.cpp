// weft::inherited_local: a fiber sees what its spawner saw.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>
#include <weft/fork_join.hpp>
#include <weft/local.hpp>

#include "support/chaotic.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
class inherited : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, inherited, testing::Values(1u, 2u, 4u));

TEST_P(inherited, is_the_initial_value_where_nothing_was_set) {
  inherited_local<std::string> local(std::string("none"));
  rt.run([&] {
    EXPECT_EQ(*local, "none");
    fiber([&] { EXPECT_EQ(local->size(), 4u); }).join();
  });
  EXPECT_EQ(*local, "none");
}

TEST_P(inherited, is_what_the_spawner_saw_at_the_spawn) {
  inherited_local<int> local(0);
  rt.run([&] {
    local.set(1);
    std::atomic<int> step = 0;
    const int* shared = nullptr;
    fiber early([&] {
      shared = &*local;
      step = 1;
      until([&] { return step == 2; });
      EXPECT_EQ(*local, 1) << "the spawner's later values are its own";
      fiber([&] { EXPECT_EQ(*local, 1); }).join();
    });
    until([&] { return step == 1; });
    EXPECT_EQ(shared, &*local) << "not a copy";
    local.set(2);
    step = 2;
    early.join();
    fiber([&] {
      EXPECT_EQ(*local, 2);
      local.set(3);
      fiber([&] { EXPECT_EQ(*local, 3); }).join();
      fiber({.name = "with options"}, [&] { EXPECT_EQ(*local, 3); }).join();
      fiber([&](std::stop_token) { EXPECT_EQ(*local, 3); }).join();
      weft::run([&] { EXPECT_EQ(*local, 3); });
    }).join();
    EXPECT_EQ(*local, 2) << "a child's is its own";
  });
}

TEST_P(inherited, goes_from_a_thread_to_its_fibers) {
  inherited_local<std::string> local;
  std::thread([&] {
    local.set("a thread's");
    rt.run([&] {
      EXPECT_EQ(*local, "a thread's");
      fiber([&] { EXPECT_EQ(*local, "a thread's"); }).join();
    });
    std::thread([&] { EXPECT_EQ(*local, ""); }).join();
  }).join();
  EXPECT_EQ(*local, "");
}

TEST_P(inherited, goes_from_runtime_to_runtime) {
  inherited_local<int> local(0);
  rt.run([&] {
    local.set(5);
    runtime other({.workers = 1});
    other.run([&] { fiber([&] { EXPECT_EQ(*local, 5); }).join(); });
    fiber(on(other), [&] { EXPECT_EQ(*local, 5); }).join();
    EXPECT_EQ(blocking([&] { return *local; }), 5);
  });
}

struct tracked {
  static inline std::atomic<int> alive = 0;
  int value = 0;
  explicit tracked(int v) : value(v) { ++alive; }
  tracked(tracked&& other) noexcept : value(other.value) { ++alive; }
  ~tracked() { --alive; }
};

TEST_P(inherited, values_go_with_their_last_fiber) {
  {
    inherited_local<tracked> local(tracked(0));
    inherited_local<int> other(0);
    const int before = tracked::alive;
    rt.run([&] {
      for (int i = 1; i < 5; ++i) local.set(tracked(i));
      EXPECT_EQ(tracked::alive, before + 1);
      other.set(1);
      fiber([&] {
        other.set(2);
        fiber([&] { local.set(tracked(9)); }).join();
        EXPECT_EQ(local->value, 4);
      }).join();
      EXPECT_EQ(tracked::alive, before + 1);
    });
    EXPECT_EQ(tracked::alive, before);
    std::thread([&] { local.set(tracked(7)); }).join();
    EXPECT_EQ(tracked::alive, before);
  }
  EXPECT_EQ(tracked::alive, 0);
}

TEST_P(inherited, values_may_outlive_their_object) {
  rt.run([&] {
    auto first = std::make_unique<inherited_local<tracked>>(tracked(1));
    first->set(tracked(2));
    first.reset();
    EXPECT_EQ(tracked::alive, 1);
    inherited_local<int> in_its_place(5);
    EXPECT_EQ(*in_its_place, 5);
    fiber([&] { EXPECT_EQ(*in_its_place, 5); }).join();
    in_its_place.set(6);
    EXPECT_EQ(tracked::alive, 0);
  });
}

// Also to those that another worker takes, which was in the middle of something else.
TEST_P(inherited, goes_to_branches_of_fork_join) {
  inherited_local<int> local(-1);
  rt.run([&] {
    std::atomic<int> wrong = 0;
    for (int round = 0; round < 50; ++round) {
      local.set(round);
      const auto branch = [&] {
        if (*local != round) ++wrong;
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(200);
        while (std::chrono::steady_clock::now() < end) continue;  // long enough to be taken
      };
      fork_join(branch, branch, branch, branch);
    }
    EXPECT_EQ(wrong, 0);
  });
}

TEST_P(inherited, by_a_tree_of_fibers) {
  inherited_local<int> depth(0);
  std::atomic<int> leaves = 0;
  const auto grow = [&](const auto& self, int expected) -> void {
    EXPECT_EQ(*depth, expected);
    if (expected == 8) {
      ++leaves;
      return;
    }
    depth.set(expected + 1);
    fiber left([&] { self(self, expected + 1); });
    fiber right([&] { self(self, expected + 1); });
    left.join();
    right.join();
  };
  rt.run([&] { grow(grow, 0); });
  EXPECT_EQ(leaves, 256);
}
}  // namespace
}  // namespace weft::test
