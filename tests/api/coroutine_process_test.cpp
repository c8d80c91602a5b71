// Coroutines that wait when the process forks or exits: their frames are destroyed where nobody is
// left to resume them.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <coroutine>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>
#include <weft/coroutine.hpp>

#include "support/chaotic.hpp"
#include "support/fibers.hpp"
#include "support/held_coroutine.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
using testing::ExitedWithCode;

class coroutine_process : public testing::Test {
 protected:
  coroutine_process() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

held_coroutine waits_for(event& e) {
  co_await e;
}
held_coroutine waits_for(channel<int>& c) {
  static_cast<void>(co_await c);
}

// Destroyed in a child, which then exits with 7. As the shell has it.
int destroyed_in_a_child(const std::vector<held_coroutine>& waiting) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    for (const held_coroutine& each : waiting) each.frame.destroy();
    ::_exit(7);
  }
  return status_of(child);
}

// Others use the runtime as the process forks, so that its locks may be held.
TEST_F(coroutine_process, a_forked_child_destroys_what_waits) {
  if (forked_with_locks_held) GTEST_SKIP() << "gcc 12's AddressSanitizer; see sanitizer.hpp";
  runtime rt({.workers = 1});
  event never_set;
  channel<int> never_sent;
  std::vector<held_coroutine> waiting;
  rt.run([&] {
    for (int i = 0; i < 10; ++i) {
      waiting.push_back(waits_for(never_set));
      waiting.push_back(waits_for(never_sent));
    }
  });
  std::atomic<bool> over{false};
  std::atomic<int> out{0};
  std::vector<std::thread> busy;
  for (int i = 0; i < 2; ++i) {
    busy.emplace_back([&] {
      while (!over) {
        if (out > 1000) continue;
        ++out;
        fiber(on(rt), [&] { --out; }).detach();
      }
    });
  }
  int status = 7;
  for (int i = 0; i < times(100) && status == 7; ++i) status = destroyed_in_a_child(waiting);
  EXPECT_EQ(status, 7);
  over = true;
  for (auto& each : busy) each.join();
  until([&] { return out == 0; });
  for (const held_coroutine& each : waiting) each.frame.destroy();
}

// The parent is about to resume them: its business, and not the child's.
TEST_F(coroutine_process, a_forked_child_destroys_what_its_parent_resumes) {
  if (forked_with_locks_held) GTEST_SKIP() << "gcc 12's AddressSanitizer; see sanitizer.hpp";
  runtime rt({.workers = 1});
  event e;
  channel<int> c;
  std::vector<held_coroutine> waiting;
  std::atomic<bool> computes{false}, done{false};
  rt.run([&] {
    for (int i = 0; i < 3; ++i) {
      waiting.push_back(waits_for(e));
      waiting.push_back(waits_for(c));
    }
  });
  fiber keeps(on(rt), [&] {
    computes = true;
    while (!done) {
    }
  });
  until([&] { return computes.load(); });
  e.set();
  EXPECT_EQ(c.try_send(1), channel_status::ok);
  c.close();
  EXPECT_EQ(destroyed_in_a_child(waiting), 7);
  done = true;
  keeps.join();
  for (const held_coroutine& each : waiting) {
    until([&] { return each.frame.done(); });
    each.frame.destroy();
  }
}

event of_statics;
channel<int> closed_at_exit;
struct holder {
  std::vector<held_coroutine> waiting;
  ~holder() {
    for (const held_coroutine& each : waiting) each.frame.destroy();
  }
} destroyed_at_exit;

// The default runtime's one worker computes, so what was woken has not begun when it is stopped.
TEST_F(coroutine_process, statics_may_destroy_what_waits_and_what_is_woken) {
  EXPECT_EXIT(
      {
        ::alarm(20);
        configure_default({.workers = 1});
        static event never_set;
        destroyed_at_exit.waiting.push_back(waits_for(of_statics));
        destroyed_at_exit.waiting.push_back(waits_for(never_set));
        destroyed_at_exit.waiting.push_back(waits_for(closed_at_exit));
        static std::atomic<bool> computes{false};
        fiber([] {
          computes = true;
          for (;;) computes = true;
        }).detach();
        until([] { return computes.load(); });
        of_statics.set();
        closed_at_exit.close();
        std::exit(3);
      },
      ExitedWithCode(3), "^$");
}
}  // namespace
}  // namespace weft::test
