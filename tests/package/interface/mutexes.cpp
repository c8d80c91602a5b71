// mutex.hpp, shared_mutex.hpp: as in std. With -Dlib=std the same is asked of std.
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <weft/mutex.hpp>
#include <weft/shared_mutex.hpp>

#include "check.hpp"

#ifndef lib
#define lib weft
#define initialised constinit  // libstdc++ lags behind
#else
#define initialised
#endif

namespace {
using namespace std::chrono_literals;

initialised lib::mutex of_static_storage;
initialised lib::shared_mutex shared_in_static_storage;
initialised lib::once_flag once_in_static_storage;

template <class T>
constexpr bool stays = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
                       !std::is_move_constructible_v<T> && !std::is_move_assignable_v<T> &&
                       std::is_default_constructible_v<T>;

template <class F>
bool elsewhere(F f) {
  bool result = false;
  beside other([&] { result = f(); });
  other.join();
  return result;
}

template <class Mutex>
void excludes(Mutex& m) {
  static_assert(stays<Mutex>);
  m.lock();
  CHECK(!elsewhere([&] { return m.try_lock(); }));
  m.unlock();
  CHECK(elsewhere([&] { return m.try_lock() ? (m.unlock(), true) : false; }));
  int sum = 0;
  {
    const auto add = [&] {
      for (int i = 0; i < 100; ++i) {
        std::lock_guard<Mutex> lock(m);
        ++sum;
      }
    };
    beside one(add), two(add);
    add();
  }
  CHECK(sum == 300);
  std::unique_lock<Mutex> later(m, std::defer_lock);
  CHECK(!later.owns_lock());
  later.lock();
  CHECK(later.owns_lock() && later.mutex() == &m);
  later.unlock();
  CHECK(later.try_lock());
  later.unlock();
  m.lock();
  std::unique_lock<Mutex> adopted(m, std::adopt_lock);
  adopted.unlock();
  std::unique_lock<Mutex> tried(m, std::try_to_lock);
  CHECK(tried.owns_lock());
  tried.unlock();
  Mutex second;
  std::scoped_lock both(m, second);
  CHECK(!elsewhere([&] { return second.try_lock(); }));
}

template <class Mutex>
void excludes_for_a_time(Mutex& m) {
  excludes(m);
  CHECK(m.try_lock_for(1h));
  CHECK(!elsewhere([&] { return m.try_lock_for(1ms); }));
  CHECK(!elsewhere([&] { return m.try_lock_for(-1h); }));
  CHECK(!elsewhere([&] { return m.try_lock_until(std::chrono::steady_clock::now() + 1ms); }));
  CHECK(!elsewhere([&] { return m.try_lock_until(std::chrono::system_clock::now() - 1h); }));
  m.unlock();
  CHECK(m.try_lock_until(std::chrono::system_clock::now() + 1h));
  m.unlock();
  std::unique_lock<Mutex> timed(m, 1h);
  CHECK(timed.owns_lock());
}

template <class Mutex>
void again_and_again(Mutex& m) {
  m.lock();
  CHECK(m.try_lock());
  { std::lock_guard<Mutex> third(m); }
  m.unlock();
  CHECK(!elsewhere([&] { return m.try_lock(); }));
  m.unlock();
  CHECK(elsewhere([&] { return m.try_lock() ? (m.unlock(), true) : false; }));
}

template <class Mutex>
void shares(Mutex& m) {
  excludes(m);
  m.lock_shared();
  CHECK(elsewhere([&] { return m.try_lock_shared() ? (m.unlock_shared(), true) : false; }));
  CHECK(!elsewhere([&] { return m.try_lock(); }));
  m.unlock_shared();
  {
    std::shared_lock<Mutex> reads(m);
    CHECK(elsewhere([&] { return std::shared_lock<Mutex>(m).owns_lock(); }));
  }
  std::unique_lock<Mutex> writes(m);
  CHECK(!elsewhere([&] { return m.try_lock_shared(); }));
}
}  // namespace

void mutexes() {
  excludes(of_static_storage);
  lib::mutex m;
  excludes(m);
  lib::timed_mutex timed;
  excludes_for_a_time(timed);
  lib::recursive_mutex recursive;
  excludes(recursive);
  again_and_again(recursive);
  lib::recursive_timed_mutex recursive_timed;
  excludes_for_a_time(recursive_timed);
  again_and_again(recursive_timed);

  static_assert(stays<lib::once_flag>);
  lib::once_flag flag;
  int calls = 0;
  CHECK_THROWS(std::logic_error, lib::call_once(
                                     flag, [](int) { throw std::logic_error("first"); }, 1));
  {
    const auto call = [&] {
      lib::call_once(
          flag, [&](int by) { calls += by; }, 1);
    };
    beside one(call), two(call);
    call();
  }
  CHECK(calls == 1);
  lib::call_once(once_in_static_storage, [] {});
}

void shared_mutexes() {
  shares(shared_in_static_storage);
  lib::shared_mutex m;
  shares(m);
  lib::shared_timed_mutex timed;
  shares(timed);
  excludes_for_a_time(timed);
  CHECK(timed.try_lock_shared_for(1h));
  CHECK(elsewhere([&] {
    return timed.try_lock_shared_until(std::chrono::steady_clock::now() + 1h)
               ? (timed.unlock_shared(), true)
               : false;
  }));
  CHECK(!elsewhere([&] { return timed.try_lock_for(1ms); }));
  timed.unlock_shared();
  timed.lock();
  CHECK(!elsewhere([&] { return timed.try_lock_shared_for(1ms); }));
  CHECK(!elsewhere(
      [&] { return timed.try_lock_shared_until(std::chrono::system_clock::now() + 1ms); }));
  timed.unlock();
  std::shared_lock<lib::shared_timed_mutex> reads(timed, 1h);
  CHECK(reads.owns_lock());
}
