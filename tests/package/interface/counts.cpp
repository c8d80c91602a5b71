// semaphore.hpp, latch.hpp, barrier.hpp: as in std. With -Dlib=std the same is asked of std; it has
// no event.
#include <atomic>
#include <barrier>
#include <chrono>
#include <latch>
#include <semaphore>
#include <weft/barrier.hpp>
#include <weft/event.hpp>
#include <weft/latch.hpp>
#include <weft/semaphore.hpp>

#include "check.hpp"

#ifndef lib
#define lib weft
#define initialised constinit  // libstdc++ lags behind
#else
#define initialised
#endif

namespace {
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

initialised lib::counting_semaphore<3> places(2);
initialised lib::latch opened(0);

void semaphores() {
  static_assert(std::is_same_v<lib::binary_semaphore, lib::counting_semaphore<1>>);
  static_assert(lib::counting_semaphore<5>::max() >= 5 && lib::counting_semaphore<>::max() > 1000);
  static_assert(!std::is_copy_constructible_v<lib::binary_semaphore>);
  places.acquire();
  CHECK(places.try_acquire());
  CHECK(!places.try_acquire());
  places.release(2);

  lib::counting_semaphore<> units(0);
  {
    beside gives([&] {
      units.release();
      units.release(2);
    });
    units.acquire();
    CHECK(units.try_acquire_for(1h));
    CHECK(units.try_acquire_until(steady_clock::now() + 1h));
  }
  CHECK(!units.try_acquire());
  CHECK(!units.try_acquire_for(1ms));
  CHECK(!units.try_acquire_for(-1h));
  CHECK(!units.try_acquire_until(system_clock::now() + 1ms));
  lib::binary_semaphore ping(0), pong(0);
  int turns = 0;
  beside plays([&] {
    for (int i = 0; i < 50; ++i) {
      ping.acquire();
      ++turns;
      pong.release();
    }
  });
  for (int i = 0; i < 50; ++i) {
    ping.release();
    pong.acquire();
  }
  CHECK(turns == 50);
}

void latches() {
  static_assert(lib::latch::max() > 1000 && !std::is_copy_constructible_v<lib::latch>);
  opened.wait();
  lib::latch done(4);
  CHECK(!done.try_wait());
  std::atomic<int> arrived{0};
  beside one([&] {
    ++arrived;
    done.arrive_and_wait();
    CHECK(arrived == 2);
  });
  beside two([&] {
    ++arrived;
    done.count_down();
    done.arrive_and_wait(2);
    CHECK(arrived == 2);
  });
  const lib::latch& seen = done;
  seen.wait();
  CHECK(arrived == 2);
  CHECK(seen.try_wait());
}

void barriers() {
  static_assert(lib::barrier<>::max() > 1000 && !std::is_copy_constructible_v<lib::barrier<>>);
  int phases = 0;
  struct completion {
    int* phases;
    void operator()() noexcept { ++*phases; }
  };
  lib::barrier steps(3, completion{&phases});
  static_assert(std::is_same_v<decltype(steps), lib::barrier<completion>>);
  {
    beside all([&] {
      for (int i = 1; i <= 10; ++i) {
        steps.arrive_and_wait();
        CHECK(phases == i);
      }
      steps.arrive_and_drop();
    });
    beside waits([&] {
      for (int i = 1; i <= 11; ++i) {
        typename lib::barrier<completion>::arrival_token token = steps.arrive();
        steps.wait(std::move(token));
        CHECK(phases >= i);
      }
    });
    for (int i = 1; i <= 10; ++i) steps.arrive_and_wait();
    steps.arrive_and_drop();
  }
  CHECK(phases == 11);
  auto last = steps.arrive(1);
  steps.wait(std::move(last));
  CHECK(phases == 12);
  lib::barrier<> plain(1);
  plain.arrive_and_wait();
}

constinit weft::event always;
void events() {
  static_assert(std::is_default_constructible_v<weft::event> &&
                !std::is_copy_constructible_v<weft::event>);
  always.set();
  always.wait();
  always.reset();
  weft::event ready;
  CHECK(!ready.is_set());
  CHECK(!ready.wait_for(1ms));
  CHECK(!ready.wait_for(-1h));
  CHECK(!ready.wait_until(system_clock::now() + 1ms));
  bool prepared = false;
  beside prepares([&] {
    prepared = true;
    ready.set();
  });
  ready.wait();
  CHECK(prepared && ready.is_set());
  CHECK(ready.wait_for(1h));
  CHECK(ready.wait_until(steady_clock::now() + 1h));
  ready.reset();
  CHECK(!ready.is_set());
}
}  // namespace

void counts() {
  semaphores();
  latches();
  barriers();
  events();
}
