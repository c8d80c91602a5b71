// Fibers that spawn, join, detach, yield, sleep, block, stop each other and end, at random.
// Whatever happens, every fiber that was spawned ends, and nothing hangs.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>
#include <weft/io.hpp>

#include "support/chaotic.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

struct world {
  // Fibers that may yet be spawned in this round. In chaos mode each of their switches is one of
  // kernel threads.
  std::atomic<int> room{chaotic() ? 200 : 2000};
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  int pipe[2] = {-1, -1};  // never has data: reads of it wait
};

void live(world& w, choices mine, int depth);

struct counted {
  world& w;
  explicit counted(world& in) : w(in) { ++w.begun; }
  ~counted() { ++w.ended; }
};

fiber spawn_child(world& w, choices& mine, int depth) {
  const auto go = [&w, depth, child = mine.split()] {
    const counted count(w);
    live(w, child, depth + 1);
  };
  fiber_options options;
  options.pinned = mine.one_in(16);
  options.stack_size = mine.one_in(8) ? 32 * 1024 : 0;
  options.fp_env = mine.one_in(16);
  if (mine.one_in(8)) options.name = "a name of its own";
  return mine.one_in(2) ? fiber(options, go) : fiber(go);
}

void wait_somehow(world& w, choices& mine) {
  char c;
  switch (mine.below(8)) {
    case 0:
      return this_fiber::sleep_for(std::chrono::microseconds(mine.below(200)));
    case 1:
      return this_fiber::sleep_for(1ns);
    case 2: {
      const deadline_scope limit{std::chrono::microseconds(mine.below(100))};
      io::read(w.pipe[0], &c, 1);
      return;
    }
    case 3:
      io::wait_readable(w.pipe[0], std::chrono::microseconds(mine.below(100)));
      return;
    case 4: {
      const this_fiber::pin stay;
      return this_fiber::yield();
    }
    case 5:
      return blocking([&] {
        if (mine.one_in(64)) std::this_thread::sleep_for(2ms);
      });
    default:
      return this_fiber::yield();
  }
}

void live(world& w, choices mine, int depth) {
  std::vector<fiber> children;
  for (unsigned steps = mine.below(12); steps > 0; --steps) {
    const unsigned what = mine.below(10);
    if (what < 4 && depth < 30 && w.room.fetch_sub(1) > 0) {
      children.push_back(spawn_child(w, mine, depth));
      continue;
    }
    if (children.empty() || what >= 8) {
      wait_somehow(w, mine);
      continue;
    }
    fiber& child = children[mine.below(static_cast<unsigned>(children.size()))];
    if (what == 4) child.request_stop();
    if (what == 5 && child.joinable()) child.detach();
    if (what >= 6 && child.joinable()) child.join();
  }
  // Children still held are stopped and joined here, in handles' destructors.
}

class graph_stress : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, graph_stress, testing::Values(1u, 2u, 4u));

TEST_P(graph_stress, every_fiber_ends) {
  choices random(seed());
  const budget time;
  runtime rt({.workers = GetParam(), .max_blocking = 8});
  do {
    world w;
    rt.run([&] {
      ASSERT_EQ(io::pipe(w.pipe), 0);
      std::vector<fiber> roots;
      for (int i = 0; i < 20; ++i) roots.push_back(spawn_child(w, random, 0));
      for (fiber& root : roots) {
        if (root.joinable()) root.join();
      }
    });
    until([&] { return rt.stats().fibers_alive == 0; });  // the detached ones
    rt.run([&] {
      io::close(w.pipe[0]);
      io::close(w.pipe[1]);
    });
    ASSERT_EQ(w.begun, w.ended);
    ASSERT_GE(w.begun, 20);
  } while (time.left());
}

TEST_P(graph_stress, the_end_of_a_runtime_ends_them_all) {
  choices random(seed());
  const budget time;
  do {
    world w;
    ASSERT_EQ(io::pipe(w.pipe), 0);
    {
      runtime rt({.workers = GetParam(), .max_blocking = 8});
      rt.run([&] {
        for (int i = 0; i < 20; ++i) spawn_child(w, random, 0).detach();
        for (unsigned i = random.below(50); i > 0; --i) this_fiber::yield();
      });
    }
    io::close(w.pipe[0]);
    io::close(w.pipe[1]);
    ASSERT_EQ(w.begun, w.ended);
    ASSERT_GE(w.begun, 20);
  } while (time.left());
}
}  // namespace
}  // namespace weft::test
