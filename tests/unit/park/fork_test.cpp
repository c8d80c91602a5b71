// What a forked child finds of the structures that other threads were at work on.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "fiber/slab.hpp"
#include "park/park.hpp"
#include "queue/wait_locks.hpp"
#include "sched/spawn.hpp"
#include "support/sanitizer.hpp"

namespace weft::detail {
namespace {
// A thread that waits needs a block; the lock of the slab is mostly held when the process is
// copied.
TEST(fork, a_child_may_wait_though_a_thread_held_the_slab) {
  if (test::forked_with_locks_held) GTEST_SKIP() << "gcc 12's AddressSanitizer; see sanitizer.hpp";
  note_forks();
  const std::jthread other([](std::stop_token stop) {
    while (!stop.stop_requested()) {
      std::size_t taken = 0;
      control_block* block = slab_take(1, taken);
      slab_give(block, block);
    }
  });
  for (int i = 0; i < 100; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(25);  // rather than to hang for ever
      ::_exit(self_block().flags == fiber_flag::kernel_thread ? 7 : 8);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "fork " << i << ": the child hung";
    ASSERT_EQ(WEXITSTATUS(status), 7);
  }
}

// A queue that another thread is changing is copied before or after that, not in the middle.
TEST(fork, a_child_finds_queues_whole) {
  if (test::forked_with_locks_held) GTEST_SKIP() << "gcc 12's AddressSanitizer; see sanitizer.hpp";
  note_forks();
  for (const int object : {1, 2, 3}) {
    atomic<int> changes{0};
    std::thread other([&] {
      const spin_guard guard(queue_lock(&object));
      changes.store(1, std::memory_order_relaxed);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      changes.store(2, std::memory_order_relaxed);
    });
    while (changes.load(std::memory_order_relaxed) == 0) std::this_thread::yield();
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(25);
      { const spin_guard guard(queue_lock(&object)); }  // free
      ::_exit(changes.load(std::memory_order_relaxed) == 2 ? 7 : 8);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    other.join();
    ASSERT_TRUE(WIFEXITED(status)) << "the child hung";
    ASSERT_EQ(WEXITSTATUS(status), 7);
  }
}
}  // namespace
}  // namespace weft::detail
