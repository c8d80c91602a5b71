// condition_variable.hpp: as in std. With -Dlib=std the same is asked of std.
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <weft/condition_variable.hpp>

#include "check.hpp"

#ifndef lib
#define lib weft
#endif

namespace {
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

template <class Condition, class Lock, class Mutex>
void waits(Condition& changed, Mutex& guard) {
  static_assert(!std::is_copy_constructible_v<Condition> && !std::is_copy_assignable_v<Condition>);
  int step = 0;
  const auto is = [&step](int n) { return [&step, n] { return step >= n; }; };
  {
    beside steps([&] {
      for (int n = 1; n <= 5; ++n) {
        Lock lock(guard);
        changed.wait(lock, [&] { return step == 2 * n - 1; });
        ++step;
        if (n % 2 != 0) {
          changed.notify_one();
        } else {
          changed.notify_all();
        }
      }
    });
    Lock lock(guard);
    const auto go = [&] {
      ++step;
      changed.notify_one();
    };
    go();
    while (step < 2) changed.wait(lock);
    go();
    changed.wait(lock, is(4));
    go();
    CHECK(changed.wait_for(lock, 1h, is(6)));
    go();
    CHECK(changed.wait_until(lock, steady_clock::now() + 1h, is(8)));
    go();
    while (step < 10) {
      CHECK(changed.wait_for(lock, 1h) == std::cv_status::no_timeout || step < 10);
    }
  }
  Lock lock(guard);
  CHECK(changed.wait_for(lock, 1ms) == std::cv_status::timeout);
  CHECK(changed.wait_for(lock, -1h) == std::cv_status::timeout);
  CHECK(changed.wait_until(lock, system_clock::now() - 1h) == std::cv_status::timeout);
  CHECK(!changed.wait_for(lock, 1ms, is(11)));
  CHECK(!changed.wait_until(lock, system_clock::now() + 1ms, is(11)));
}

void stops() {
  lib::condition_variable_any changed;
  lib::mutex guard;
  std::stop_source source;
  bool never = false;
  const auto holds = [&] { return never; };
  {
    const auto waits = [&] {
      std::unique_lock lock(guard);
      CHECK(!changed.wait(lock, source.get_token(), holds));
      CHECK(!changed.wait_for(lock, source.get_token(), 1h, holds));
      CHECK(!changed.wait_until(lock, source.get_token(), steady_clock::now() + 1h, holds));
    };
    beside one(waits), two(waits);
    source.request_stop();
  }
  std::stop_source other;
  std::unique_lock lock(guard);
  CHECK(!changed.wait_for(lock, other.get_token(), 1ms, holds));
  CHECK(!changed.wait_until(lock, other.get_token(), system_clock::now() + 1ms, holds));
  never = true;
  CHECK(changed.wait(lock, other.get_token(), holds));
}
}  // namespace

void conditions() {
  lib::mutex guard;
  lib::condition_variable condition;
  waits<lib::condition_variable, std::unique_lock<lib::mutex>>(condition, guard);
  lib::condition_variable_any any;
  waits<lib::condition_variable_any, std::unique_lock<lib::mutex>>(any, guard);
  std::mutex of_std;  // any lock; but a fiber that waits for one of std holds up its thread
  if (!on_fiber()) waits<lib::condition_variable_any, std::unique_lock<std::mutex>>(any, of_std);
  stops();

  bool gone = false;
  beside ends([&] {
    std::unique_lock lock(guard);
    gone = true;
    lib::notify_all_at_thread_exit(condition, std::move(lock));
  });
  std::unique_lock lock(guard);
  condition.wait(lock, [&] { return gone; });
  lock.unlock();
  ends.join();
}
