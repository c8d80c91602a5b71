// The kernel refuses a stack to a fiber that may exist: it waits, at no cost, until one is free.
// Each test limits its address space, so it runs in a child process.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "support/descriptors.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::ExitedWithCode;

// The arena maps room for just one of these at first.
constexpr std::size_t large = 64 << 20;

class stackless_death : public testing::TestWithParam<unsigned> {
 protected:
  stackless_death() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};
INSTANTIATE_TEST_SUITE_P(workers, stackless_death, testing::Values(1u, 2u));

// In the child, first of all. One heap for all threads: each other would reserve 128 MiB when its
// thread first allocates.
void prepare_child() {
  ::alarm(30);
  ::mallopt(M_ARENA_MAX, 1);
}

// From here on: 32 MiB for whatever the process needs, and no further stack.
void allow_no_more_stacks() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  if (!file || std::fscanf(file, "%lu", &pages) != 1) std::_Exit(90);
  std::fclose(file);
  rlimit limit = {};
  ::getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = pages * 4096 + (32 << 20);
  if (::setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(91);
}

void allow_stacks() {
  rlimit limit = {};
  ::getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(92);
}

double cpu_seconds() {
  rusage used = {};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

// Whether the process computes while f runs. Generous: who waits for a stack by trying again uses
// a whole CPU.
template <class F>
bool busy_during(F&& f) {
  const auto begin = steady_clock::now();
  const double before = cpu_seconds();
  std::forward<F>(f)();
  const double used = cpu_seconds() - before;
  return used > 0.3 * std::chrono::duration<double>(steady_clock::now() - begin).count();
}

// Has the one stack, until told to end: parked on a descriptor.
class holder {
 public:
  explicit holder(runtime& rt) {
    std::atomic<bool> begun{false};
    fiber_ = fiber(on(rt), [this, &begun] {
      begun = true;
      char c;
      io::read(pipe_[0], &c, 1);
    });
    while (!begun) std::this_thread::yield();
    allow_no_more_stacks();
  }
  void end() {
    io::write(pipe_[1], "x", 1);
    fiber_.join();
  }

 private:
  fd_pair pipe_ = make_pipe();
  fiber fiber_;
};

[[noreturn]] void wait_behind_a_parked_fiber(unsigned workers) {
  prepare_child();
  runtime rt({.workers = workers, .stack_size = large});
  holder only(rt);
  std::atomic<int> ran{0};
  std::vector<fiber> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.emplace_back(on(rt), [&] {
      this_fiber::yield();
      ++ran;
    });
  }
  if (busy_during([] { std::this_thread::sleep_for(300ms); })) std::_Exit(1);
  if (ran != 0) std::_Exit(2);
  only.end();
  for (fiber& f : waiting) f.join();
  std::_Exit(ran == 20 ? 0 : 3);
}

TEST_P(stackless_death, fibers_wait_idly_behind_one_that_is_parked) {
  EXPECT_EXIT(wait_behind_a_parked_fiber(GetParam()), ExitedWithCode(0), "");
}

// The join finds its fiber next in line and no stack for it: the kernel's refusal is not the
// joiner's errno.
[[noreturn]] void join_without_a_stack(unsigned workers) {
  prepare_child();
  runtime rt({.workers = workers, .stack_size = large});
  std::atomic<bool> end{false};
  std::atomic<bool> kept{true};
  fiber joiner(on(rt), [&] {
    allow_no_more_stacks();
    fiber waiting([&] { end = true; });
    errno = 33;
    std::thread relent([] {
      std::this_thread::sleep_for(50ms);
      allow_stacks();
    });
    errno = 33;
    waiting.join();
    kept = errno == 33;
    blocking([&] { relent.join(); });
  });
  joiner.join();
  std::_Exit(!end ? 1 : kept ? 0 : 2);
}

TEST_P(stackless_death, a_join_keeps_errno) {
  EXPECT_EXIT(join_without_a_stack(GetParam()), ExitedWithCode(0), "");
}

// Nobody has a descriptor or a timer, so a look at the events alone would take it for the end.
[[noreturn]] void wait_behind_a_joiner(unsigned workers) {
  prepare_child();
  runtime rt({.workers = workers, .stack_size = large});
  runtime other({.workers = 1});
  std::atomic<bool> begun{false};
  fiber holder(on(rt), [&] {
    other.run([&] {
      begun = true;
      this_fiber::sleep_for(100ms);
    });
  });
  while (!begun) std::this_thread::yield();
  allow_no_more_stacks();
  fiber waiting(on(rt), [] {});
  waiting.join();
  std::_Exit(0);
}

TEST_P(stackless_death, a_fiber_that_waits_for_another_runtime_will_end_too) {
  EXPECT_EXIT(wait_behind_a_joiner(GetParam()), ExitedWithCode(0), "");
}

// The one stack lies in the cache of a processor that is idle, in a runtime of its own.
[[noreturn]] void recall_from_an_idle_runtime(unsigned workers) {
  prepare_child();
  runtime before({.workers = workers, .stack_size = large});
  before.run([] {});
  runtime rt({.workers = workers, .stack_size = large});
  std::this_thread::sleep_for(20ms);  // or not: what comes then is still right
  allow_no_more_stacks();
  rt.run([] {});
  std::_Exit(0);
}

TEST_P(stackless_death, a_free_stack_comes_from_an_idle_runtime) {
  EXPECT_EXIT(recall_from_an_idle_runtime(GetParam()), ExitedWithCode(0), "");
}

// It comes back only when that runtime is taken down.
[[noreturn]] void outlive_a_runtime(unsigned workers) {
  prepare_child();
  runtime rt({.workers = workers, .stack_size = large});
  fiber waiting;
  {
    runtime other({.workers = workers, .stack_size = large});
    holder only(other);
    waiting = fiber(on(rt), [] {});
    only.end();
  }
  waiting.join();
  std::_Exit(0);
}

TEST_P(stackless_death, a_stack_that_a_dying_runtime_leaves) {
  EXPECT_EXIT(outlive_a_runtime(GetParam()), ExitedWithCode(0), "");
}

[[noreturn]] void wait_for_the_kernel(unsigned workers) {
  prepare_child();
  runtime rt({.workers = workers, .stack_size = large});
  holder only(rt);
  fiber waiting(on(rt), [] {});
  if (busy_during([] { std::this_thread::sleep_for(300ms); })) std::_Exit(1);
  allow_stacks();
  waiting.join();
  only.end();
  std::_Exit(0);
}

TEST_P(stackless_death, the_kernel_relents) {
  EXPECT_EXIT(wait_for_the_kernel(GetParam()), ExitedWithCode(0), "has waited for a stack");
}

TEST_P(stackless_death, no_fiber_has_one) {
  EXPECT_DEATH(
      {
        prepare_child();
        runtime rt({.workers = GetParam(), .stack_size = large});
        allow_no_more_stacks();
        fiber f(on(rt), [] {});
        f.join();
      },
      "fiber [0-9]+ has no stack and nothing else can run to free one.*not begun.*1 fibers");
}

// The others wait for a stack too: the last one to find none out gives up.
TEST_P(stackless_death, nor_can_any_get_one) {
  EXPECT_DEATH(
      {
        prepare_child();
        runtime rt({.workers = GetParam(), .stack_size = large});
        fiber_options small = on(rt);
        small.stack_size = 16 << 10;
        std::atomic<int> stage{0};
        fiber holder(small, [&] {
          for (stage = 1; stage == 1;) this_fiber::sleep_for(1ms);
        });
        until([&] { return stage == 1; });
        allow_no_more_stacks();
        fiber a(on(rt), [] {});
        fiber b(on(rt), [] {});
        std::this_thread::sleep_for(50ms);
        stage = 2;
        a.join();
      },
      "nothing else can run to free one");
}

// A fiber that has begun and only waits for the end of one without a stack frees none.
TEST_P(stackless_death, nor_can_those_that_wait_for_it) {
  EXPECT_DEATH(
      {
        prepare_child();
        runtime rt({.workers = GetParam(), .stack_size = large});
        fiber_options small = on(rt);
        small.stack_size = 16 << 10;
        std::atomic<int> stage{0};
        fiber joins(small, [&] {
          for (stage = 1; stage == 1;) this_fiber::sleep_for(1ms);
          fiber waits([] {});
          waits.join();
        });
        until([&] { return stage == 1; });
        allow_no_more_stacks();
        stage = 2;
        joins.join();
      },
      "nothing else can run to free one");
}

// The only fiber there is outlives a refusal that passes.
[[noreturn]] void wait_alone(unsigned workers) {
  prepare_child();
  runtime rt({.workers = workers, .stack_size = large});
  allow_no_more_stacks();
  fiber waiting(on(rt), [] {});
  std::this_thread::sleep_for(300ms);
  allow_stacks();
  waiting.join();
  std::_Exit(0);
}

TEST_P(stackless_death, not_of_a_refusal_that_passes) {
  EXPECT_EXIT(wait_alone(GetParam()), ExitedWithCode(0), "");
}
}  // namespace
}  // namespace weft::test
