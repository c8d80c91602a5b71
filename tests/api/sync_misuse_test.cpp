// What std calls undefined ends the process with a line that names the fiber and the object.
#include <gtest/gtest.h>

#include <mutex>

#include "support/death.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class sync_misuse : public testing::Test {
 protected:
  sync_misuse() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

fiber_options called(const char* name) {
  fiber_options options;
  options.name = name;
  return options;
}

// `wrong` by a fiber of that name, after `first` by the one that runs the test.
template <class First, class Wrong>
void by_a_fiber(First first, Wrong wrong) {
  runtime rt({.workers = 1});
  rt.run([&] {
    first();
    fiber other(called("other"), wrong);
    other.join();
  });
}

TEST_F(sync_misuse, unlock_by_another_fiber) {
  EXPECT_DEATH(
      {
        mutex guard;
        by_a_fiber([&] { guard.lock(); }, [&] { guard.unlock(); });
      },
      "weft: weft::mutex at 0x[0-9a-f]+: unlocked by fiber [0-9]+ \"other\", but its owner is "
      "fiber "
      "[0-9]+\n");
  EXPECT_DEATH(
      {
        timed_mutex guard;
        by_a_fiber([&] { guard.lock(); }, [&] { guard.unlock(); });
      },
      "weft: weft::timed_mutex at 0x[0-9a-f]+: unlocked by fiber [0-9]+ \"other\", but its owner "
      "is ");
  EXPECT_DEATH(
      {
        recursive_mutex guard;
        by_a_fiber(
            [&] {
              guard.lock();
              guard.lock();
            },
            [&] { guard.unlock(); });
      },
      "weft: weft::recursive_mutex at 0x[0-9a-f]+: unlocked by fiber [0-9]+ \"other\"");
  EXPECT_DEATH(
      {
        shared_timed_mutex guard;
        by_a_fiber([&] { guard.lock(); }, [&] { guard.unlock(); });
      },
      "weft: weft::shared_timed_mutex at 0x[0-9a-f]+: unlocked by fiber [0-9]+ \"other\"");
}

TEST_F(sync_misuse, unlock_of_what_nobody_owns) {
  EXPECT_DEATH(
      {
        mutex guard;
        guard.unlock();
      },
      "weft: weft::mutex at 0x[0-9a-f]+: unlocked by this kernel thread, but its owner is "
      "nobody\n");
  EXPECT_DEATH(
      {
        recursive_timed_mutex guard;
        guard.unlock();
      },
      "weft: weft::recursive_timed_mutex at 0x[0-9a-f]+: unlocked by this kernel thread, but its ");
  EXPECT_DEATH(
      {
        shared_mutex guard;
        guard.unlock();
      },
      "weft: weft::shared_mutex at 0x[0-9a-f]+: unlocked by this kernel thread, but its owner is "
      "nobody\n");
  EXPECT_DEATH(
      {
        shared_mutex guard;
        guard.unlock_shared();
      },
      "weft: weft::shared_mutex at 0x[0-9a-f]+: unlock_shared by this kernel thread, but nobody "
      "holds it shared\n");
  EXPECT_DEATH(
      {
        shared_mutex guard;
        guard.lock();
        guard.unlock_shared();
      },
      "unlock_shared by this kernel thread, but nobody holds it shared\n");
}

TEST_F(sync_misuse, unlock_by_another_thread) {
  EXPECT_DEATH(
      {
        mutex guard;
        std::thread([&] { guard.lock(); }).join();
        guard.unlock();
      },
      "unlocked by this kernel thread, but its owner is a kernel thread\n");
}

// Destroys it while "other" waits for it, by `wait`.
template <class T, class Wait>
void destroyed_under(T* object, Wait wait) {
  runtime rt({.workers = 1});
  rt.run([&] {
    fiber other(called("other"), [&] { wait(*object); });
    until_parked(rt, 1);
    delete object;
  });
}

TEST_F(sync_misuse, destruction_with_waiters) {
  const std::string line =
      " at 0x[0-9a-f]+: destroyed by fiber [0-9]+ while fiber [0-9]+ \"other\" "
      "waits for it\n";
  EXPECT_DEATH(
      {
        auto* guard = new mutex;
        runtime rt({.workers = 1});
        rt.run([&] {
          guard->lock();
          fiber other(called("other"), [&] { guard->lock(); });
          until_parked(rt, 1);
          delete guard;
        });
      },
      "weft: weft::mutex" + line);
  EXPECT_DEATH(
      {
        auto* guard = new shared_mutex;
        runtime rt({.workers = 1});
        rt.run([&] {
          guard->lock_shared();
          fiber other(called("other"), [&] { guard->lock(); });
          until_parked(rt, 1);
          delete guard;
        });
      },
      "weft: weft::shared_mutex" + line);
  EXPECT_DEATH(destroyed_under(new counting_semaphore<>(0), [](auto& it) { it.acquire(); }),
               "weft: weft::counting_semaphore" + line);
  EXPECT_DEATH(destroyed_under(new event, [](event& it) { it.wait(); }),
               "weft: weft::event" + line);
  EXPECT_DEATH(destroyed_under(new latch(1), [](latch& it) { it.wait(); }),
               "weft: weft::latch" + line);
  EXPECT_DEATH(destroyed_under(new barrier<>(2), [](auto& it) { it.arrive_and_wait(); }),
               "weft: weft::barrier" + line);
  EXPECT_DEATH(destroyed_under(new condition_variable,
                               [](condition_variable& it) {
                                 mutex guard;
                                 std::unique_lock lock(guard);
                                 it.wait(lock);
                               }),
               "weft: weft::condition_variable" + line);
  EXPECT_DEATH(destroyed_under(new condition_variable_any,
                               [](condition_variable_any& it) {
                                 mutex guard;
                                 std::unique_lock lock(guard);
                                 it.wait(lock);
                               }),
               "weft: weft::condition_variable_any" + line);
}

TEST_F(sync_misuse, destruction_of_what_is_held) {
  EXPECT_DEATH(
      by_a_fiber([] {},
                 [] {
                   mutex guard;
                   guard.lock();
                 }),
      "weft: weft::mutex at 0x[0-9a-f]+: destroyed by fiber [0-9]+ \"other\" while fiber [0-9]+ "
      "\"other\" owns it\n");
  EXPECT_DEATH(
      {
        shared_mutex guard;
        guard.lock();
      },
      "weft: weft::shared_mutex at 0x[0-9a-f]+: destroyed by this kernel thread while this kernel "
      "thread owns it\n");
  EXPECT_DEATH(
      {
        shared_timed_mutex guard;
        guard.lock_shared();
        guard.lock_shared();
      },
      "weft: weft::shared_timed_mutex at 0x[0-9a-f]+: destroyed by this kernel thread while it is "
      "held shared, 2 times\n");
}

TEST_F(sync_misuse, wait_without_the_lock) {
  EXPECT_DEATH(
      {
        mutex guard;
        condition_variable changed;
        std::unique_lock lock(guard, std::defer_lock);
        changed.wait(lock);
      },
      "weft: weft::condition_variable at 0x[0-9a-f]+: this kernel thread waits without owning the "
      "lock\n");
  EXPECT_DEATH(
      {
        condition_variable changed;
        std::unique_lock<mutex> lock;
        changed.wait(lock);
      },
      "this kernel thread waits without owning the lock\n");
  EXPECT_DEATH(
      {
        mutex guard;
        condition_variable changed;
        by_a_fiber([&] { guard.lock(); },
                   [&] {
                     std::unique_lock lock(guard, std::adopt_lock);
                     changed.wait(lock);
                   });
      },
      "fiber [0-9]+ \"other\" waits without owning the lock\n");
}

// A lock that throws when the wait is over: std's meaning.
TEST_F(sync_misuse, a_lock_that_cannot_be_taken_back) {
  EXPECT_DEATH(
      {
        struct once_only {
          bool released = false;
          void lock() {
            if (released) throw 7;
          }
          void unlock() { released = true; }
        } lock;
        condition_variable_any changed;
        changed.wait_for(lock, 1ms);
      },
      "terminate called");
}
}  // namespace
}  // namespace weft::test
