// What a forked child finds of the structures that other threads were at work on.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "fiber/slab.hpp"
#include "park/park.hpp"
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
      ::alarm(5);  // rather than to hang for ever
      ::_exit(self_block().flags == fiber_flag::kernel_thread ? 7 : 8);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "fork " << i << ": the child hung";
    ASSERT_EQ(WEXITSTATUS(status), 7);
  }
}
}  // namespace
}  // namespace weft::detail
