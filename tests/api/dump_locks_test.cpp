// What weft::dump says of fibers that wait for locks, and of those who hold them.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <mutex>
#include <new>
#include <shared_mutex>

#include "support/chaotic.hpp"
#include "support/dumps.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

fiber_options who_is(const char* name) {
  fiber_options options;
  options.name = name;
  return options;
}

// Dumped while "waiter" waits.
template <class Wait>
std::string dumped_at(Wait wait, std::uint64_t parked = 1) {
  runtime rt({.workers = 1});
  std::string text;
  rt.run([&] {
    event over;
    fiber waiter(who_is("waiter"), [&] { wait(over); });
    until_parked(rt, parked);
    text = dumped(dump_detail::every_fiber);
    waiter.request_stop();
    over.set();
  });
  return text;
}

void show_objects_and_owners() {
  mutex guard;
  recursive_timed_mutex recursive;
  shared_mutex shared;
  for (const bool thread : {false, true}) {
    runtime rt({.workers = 1});
    const auto scene = [&] {
      const std::scoped_lock all(guard, recursive, shared);
      std::vector<fiber> waiting;
      const auto wait_for = [&](auto& lock) {
        fiber_options options = who_is("waiter");
        options.on = &rt;
        waiting.emplace_back(options, [&lock] { const std::lock_guard mine(lock); });
      };
      wait_for(guard);
      wait_for(recursive);
      wait_for(shared);
      until_parked(rt, 3);
      const std::string text = dumped(dump_detail::every_fiber);
      const std::string owner = thread ? "a kernel thread; " : "fiber [0-9]+; ";
      char at[64];
      for (const void* each : {static_cast<void*>(&guard), static_cast<void*>(&recursive),
                               static_cast<void*>(&shared)}) {
        std::snprintf(at, sizeof at, "%p", each);
        EXPECT_TRUE(has(text, std::string("\"waiter\" parked for [0-9.]+ s: mutex at ") + at +
                                  ", owned by " + owner))
            << text;
      }
      return waiting;
    };
    std::vector<fiber> waiting;
    if (thread) {
      waiting = scene();
    } else {
      rt.run([&] { waiting = scene(); });
    }
    for (fiber& each : waiting) each.join();
  }
}

TEST(dump_locks, names_the_object_and_its_owner) {
  show_objects_and_owners();
}

TEST(dump_locks, names_what_has_no_owner) {
  counting_semaphore<> units(0);
  latch done(1);
  mutex guard;
  condition_variable changed;
  bool over = false;
  EXPECT_TRUE(has(dumped_at([&](event&) { units.acquire(); }), "semaphore at 0x[0-9a-f]+; "));
  EXPECT_TRUE(has(dumped_at([&](event&) { done.wait(); }), "latch at 0x[0-9a-f]+; "));
  EXPECT_TRUE(has(dumped_at([&](event& it) { it.wait(); }), "event at 0x[0-9a-f]+; "));
  // Nobody ends that by itself.
  runtime rt({.workers = 1});
  rt.run([&] {
    fiber waiter([&] {
      std::unique_lock lock(guard);
      changed.wait(lock, [&] { return over; });
    });
    until_parked(rt, 1);
    EXPECT_TRUE(has(dumped(), "condition_variable at 0x[0-9a-f]+; "));
    over = true;
    changed.notify_all();
  });
}

// Each holds one lock and waits for the next one's; a child is left with the deadlock.
TEST(dump_locks, prints_the_cycle_of_fibers_that_hold_what_others_wait_for) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        ::alarm(30);
        static mutex one;
        static shared_timed_mutex other;
        static once_flag third;
        static latch held(3);
        fiber(who_is("a"), [] {
          const std::lock_guard mine(one);
          held.arrive_and_wait();
          other.lock();
        }).detach();
        fiber(who_is("b"), [] {
          const std::lock_guard mine(other);
          held.arrive_and_wait();
          call_once(third, [] {});
        }).detach();
        fiber(who_is("c"), [] {
          call_once(third, [] {
            held.arrive_and_wait();
            one.lock();
          });
        }).detach();
        std::string text;
        for (int i = 0; i < 1000 && !has(text, "a cycle of"); ++i) {
          std::this_thread::sleep_for(10ms);
          text = dumped();
        }
        std::fputs(text.c_str(), stderr);
        ::_exit(7);  // the fibers that are left behind are no leak to be told
      },
      testing::ExitedWithCode(7),
      "a cycle of 3 fibers, none of which can go on before another:\n"
      "  fiber [0-9]+ \"a\" waits for the mutex at 0x[0-9a-f]+, which fiber [0-9]+ owns\n"
      "  fiber [0-9]+ \"b\" waits for the call_once at 0x[0-9a-f]+, which fiber [0-9]+ owns\n"
      "  fiber [0-9]+ \"c\" waits for the mutex at 0x[0-9a-f]+, which fiber [0-9]+ owns\n");
}

// Locks come and go, and with them the memory that a dump looks at.
void dump_while_locks_come_and_go() {
  runtime rt({.workers = 2});
  std::atomic<bool> over{false};
  std::vector<fiber> all;
  for (int i = 0; i < 4; ++i) {
    all.emplace_back(on(rt), [&] {
      while (!over) {
        const std::size_t size = 1 << 16;
        void* const page =
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        auto* const guard = new (page) mutex;
        guard->lock();
        fiber waiter([&] { const std::lock_guard mine(*guard); });
        this_fiber::yield();
        guard->unlock();
        waiter.join();
        guard->~mutex();
        ::munmap(page, size);
      }
    });
  }
  for (int i = 0; i < times(200); ++i) static_cast<void>(dumped());
  over = true;
  for (fiber& each : all) each.join();
}

TEST(dump_locks, of_locks_that_come_and_go) {
  dump_while_locks_come_and_go();
}

// As in some containers.
bool refuse_to_read_of_processes() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog all = {.len = 4, .filter = code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) == 0;
}

TEST(dump_locks, where_the_kernel_refuses_to_read) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        ::alarm(60);
        if (!refuse_to_read_of_processes() && !emulated())
          ::_exit(1);  // an emulator does by itself
        dump_while_locks_come_and_go();
        show_objects_and_owners();
        ::_exit(testing::Test::HasFailure() ? 1 : 7);
      },
      testing::ExitedWithCode(7), "");
}
}  // namespace
}  // namespace weft::test
