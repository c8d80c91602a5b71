// What synchronisation objects order, ThreadSanitizer must not report; what they do not, it must:
// a missing lock, and readers of a shared_mutex that write.
#include <cstdlib>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <thread>
#include <vector>
#include <weft/barrier.hpp>
#include <weft/blocking.hpp>
#include <weft/condition_variable.hpp>
#include <weft/event.hpp>
#include <weft/fiber.hpp>
#include <weft/latch.hpp>
#include <weft/mutex.hpp>
#include <weft/runtime.hpp>
#include <weft/semaphore.hpp>
#include <weft/shared_mutex.hpp>

namespace {
using namespace std::chrono_literals;

constexpr int rounds = 200;
int value = 0;

void increment() {
  value = value + 1;
}

// Four fibers and, where it is meant to be seen from there too, two kernel threads.
template <class F>
void by_all(F f) {
  std::vector<weft::fiber> fibers;
  for (int i = 0; i < 4; ++i) {
    fibers.emplace_back([&f, i] {
      for (int k = 0; k < rounds; ++k) {
        f(i, k);
        if (k % 4 == 0) weft::this_fiber::yield();
      }
    });
  }
  for (weft::fiber& each : fibers) each.join();
}

template <class Mutex>
void ordered_by_lock() {
  Mutex guard;
  std::thread foreign([&] {
    for (int k = 0; k < rounds; ++k) {
      const std::lock_guard lock(guard);
      increment();
    }
  });
  by_all([&](int, int k) {
    const std::lock_guard lock(guard);
    if (k % 8 == 0) weft::this_fiber::yield();  // others queue, and are handed it
    increment();
  });
  weft::blocking([&] { foreign.join(); });
}

void ordered_by_timed_lock() {
  weft::timed_mutex guard;
  by_all([&](int, int k) {
    while (!guard.try_lock_for(20us)) {
    }
    if (k % 8 == 0) weft::this_fiber::sleep_for(10us);
    increment();
    guard.unlock();
  });
}

void ordered_by_shared_lock() {
  weft::shared_mutex guard;
  int seen = 0;
  by_all([&](int i, int) {
    if (i == 0) {
      const std::lock_guard lock(guard);
      increment();
    } else {
      const std::shared_lock lock(guard);
      weft::this_fiber::yield();
      const int now = value;
      if (now < 0) seen = now;
    }
  });
}

template <class Condition>
void ordered_by_condition() {
  weft::mutex guard;
  Condition changed;
  int turn = 0;
  by_all([&](int i, int) {
    std::unique_lock lock(guard);
    changed.wait(lock, [&] { return turn % 4 == i; });
    increment();
    ++turn;
    changed.notify_all();
  });
}

void ordered_by_semaphore() {
  weft::binary_semaphore units(1);
  by_all([&](int, int k) {
    units.acquire();
    if (k % 8 == 0) weft::this_fiber::yield();
    increment();
    units.release();
  });
}

void ordered_by_latch() {
  for (int k = 0; k < rounds; ++k) {
    weft::latch done(2);
    int parts[2] = {};
    weft::fiber a([&] {
      parts[0] = k;
      done.count_down();
    });
    weft::fiber b([&] {
      parts[1] = k;
      done.count_down();
    });
    done.wait();
    if (parts[0] + parts[1] != 2 * k) std::abort();
  }
}

void ordered_by_barrier() {
  weft::barrier step(4, []() noexcept { increment(); });
  by_all([&](int i, int) {
    if (value % 4 == i) {
      step.arrive_and_wait();
    } else {
      step.arrive_and_wait();
    }
  });
}

void ordered_by_event() {
  for (int k = 0; k < rounds; ++k) {
    weft::event set;
    weft::fiber a([&] {
      increment();
      set.set();
    });
    set.wait();
    increment();
  }
}

void ordered_by_once() {
  for (int k = 0; k < rounds; ++k) {
    weft::once_flag once;
    const auto use = [&] {
      weft::call_once(once, increment);
      if (value < 0) std::abort();
    };
    weft::fiber a(use), b(use);
    a.join();
    b.join();
  }
}

void no_lock() {
  weft::event go;
  const auto work = [&] {
    go.wait();
    increment();
  };
  weft::fiber a(work), b(work);
  go.set();
  a.join();
  b.join();
}

void readers_that_write() {
  weft::shared_mutex guard;
  const auto work = [&] {
    const std::shared_lock lock(guard);
    increment();
    weft::this_fiber::yield();
  };
  weft::fiber a(work), b(work);
  a.join();
  b.join();
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return EXIT_FAILURE;
  const std::string_view what = argv[1];
  const struct {
    std::string_view name;
    void (*call)();
  } all[] = {{"mutex", ordered_by_lock<weft::mutex>},
             {"recursive_mutex", ordered_by_lock<weft::recursive_mutex>},
             {"timed_mutex", ordered_by_timed_lock},
             {"exclusive", ordered_by_lock<weft::shared_mutex>},
             {"shared", ordered_by_shared_lock},
             {"condition", ordered_by_condition<weft::condition_variable>},
             {"condition_any", ordered_by_condition<weft::condition_variable_any>},
             {"semaphore", ordered_by_semaphore},
             {"latch", ordered_by_latch},
             {"barrier", ordered_by_barrier},
             {"event", ordered_by_event},
             {"once", ordered_by_once},
             {"no_lock", no_lock},
             {"readers_that_write", readers_that_write}};
  for (const auto& each : all) {
    if (each.name != what) continue;
    weft::runtime rt({.workers = static_cast<unsigned>(std::atoi(argv[2]))});
    rt.run(each.call);
    return EXIT_SUCCESS;
  }
  return EXIT_FAILURE;
}
