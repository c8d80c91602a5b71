// Prints what switches cost: the figures of docs/context-switch.md. Asserts nothing about time, and
// runs only when asked for: --gtest_also_run_disabled_tests --gtest_filter='switch_cost.*'
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <vector>

#include "context/context.hpp"
#include "support/toy_scheduler.hpp"

namespace weft::test {
namespace {

// Of the thread, so that what else runs on the machine is left out.
double now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

// The median of many short rounds of `count` operations each, and the fastest tenth's bound.
template <class F>
void report(const char* what, int count, F round) {
  std::vector<double> rounds;
  for (int i = 0; i < 201; ++i) {
    const double begin = now_ns();
    round(count);
    rounds.push_back((now_ns() - begin) / count);
  }
  std::sort(rounds.begin(), rounds.end());
  std::printf("%-52s %6.2f ns (fastest tenth %.2f)\n", what, rounds[100], rounds[20]);
}

void count_up(void* arg, detail::context*) noexcept {
  if (arg != nullptr) ++*static_cast<long*>(arg);
}

detail::context here;
detail::context there;

template <detail::after_fn after>
void echo(void* arg) noexcept {
  for (;;) arg = detail::switch_to(&there, here, after, arg);
}

template <detail::after_fn after>
void ping_pong(const char* what) {
  guarded_stack stack;
  long sum = 0;
  there = detail::prepare(stack.top(), &echo<after>);
  report(what, 20'000, [&](int count) {
    for (int i = 0; i < count; i += 2) detail::switch_to(&here, there, after, &sum);
  });
}

// Contexts in a ring, each of which gives way from `depth` frames below its loop, as a fiber does.
constexpr std::size_t ring_size = 8;
std::array<detail::context, ring_size> ring;
std::size_t turn;
long turns;

[[gnu::noinline]] void give_way() {
  const std::size_t self = turn;
  turn = (turn + 1) % ring_size;
  detail::switch_to(&ring[self], ring[turn], &count_up, &turns);
}

[[gnu::noinline]] void descend(int depth) {
  if (depth == 0) {
    give_way();
  } else {
    descend(depth - 1);
  }
  asm volatile("");  // no tail call
}

template <int depth>
[[gnu::noinline]] void loop(int count) {
  for (int i = 0; i < count; ++i) descend(depth);
}

template <int depth>
void ring_entry(void*) noexcept {
  for (;;) loop<depth>(1'000'000);
}

template <int depth>
void around(const char* what) {
  std::vector<std::unique_ptr<guarded_stack>> stacks;
  for (std::size_t i = 1; i < ring_size; ++i) {
    stacks.push_back(std::make_unique<guarded_stack>());
    ring[i] = detail::prepare(stacks.back()->top(), &ring_entry<depth>);
  }
  turn = 0;
  report(what, 20'000, [](int count) { loop<depth>(count / static_cast<int>(ring_size)); });
}

void finish(void*) noexcept {
  detail::switch_away(&there, here, &count_up, &turns);
}

std::byte* spawn_stack;

[[gnu::noinline]] void spawn_and_finish(int depth) {
  if (depth == 0) {
    there = detail::prepare(spawn_stack, &finish);
    detail::switch_to(&here, there, nullptr, nullptr);
  } else {
    spawn_and_finish(depth - 1);
  }
  asm volatile("");
}

TEST(switch_cost, DISABLED_report) {
  ping_pong<nullptr>("switch_to");
  ping_pong<&count_up>("switch_to with an after function");
  around<0>("yield from 2 frames deep, 8 contexts");
  around<3>("yield from 5 frames deep, 8 contexts");
  guarded_stack stack;
  spawn_stack = stack.top();
  for (int depth : {0, 3}) {
    report(depth == 0 ? "prepare, switch_to, switch_away" : "the same, 3 frames deeper", 10'000,
           [depth](int count) {
             for (int i = 0; i < count; ++i) spawn_and_finish(depth);
           });
  }
  detail::fp_env env;
  report("fp_env_save and fp_env_load", 10'000, [&](int count) {
    for (int i = 0; i < count; ++i) {
      detail::fp_env_save(&env);
      detail::fp_env_load(&env);
    }
  });
  EXPECT_GT(turns, 0);
}

}  // namespace
}  // namespace weft::test
