// The end of a runtime waits for its last fiber, over counters that each processor keeps for
// itself: it does not return while one is alive, nor sleep on when the last has ended.
//
// Production: the fences, the spin lock. Mirrored: alive, tell_if_draining, wait_drained
// (sched/drain.hpp), bump and bump_release, the counting in sched/spawn_local.hpp,
// sched/children.cpp and sched/entry.cpp, and the kernel's futex. The waiter's thread ends where it
// would sleep.
#include "model.hpp"

#include "base/asymmetric_fence.hpp"
#include "base/spin_lock.hpp"

namespace {

using model::check;
using model::checked;
using weft::detail::atomic;
using weft::detail::spin_guard;
using weft::detail::spin_lock;

// Released: an end is counted by a release store. Before: a spawn is counted before the fiber is
// where a thief finds it.
template <bool Released, bool Before = true>
struct world {
  atomic<int> spawned[2]{};
  atomic<int> finished[2]{};
  atomic<int> draining{0};
  atomic<int> drained{0};
  atomic<int> really_alive{0};  // read-modify-writes only: the truth, without ordering anything

  spin_lock kernel;
  bool asleep = false;  // guarded by it
  bool woken = false;   // likewise

  int alive() {
    int ended = 0;
    for (atomic<int>& count : finished) ended += count.load(std::memory_order_acquire);
    int begun = 0;
    for (atomic<int>& count : spawned) begun += count.load(std::memory_order_acquire);
    return begun - ended;
  }

  void count_spawn(int p) {
    spawned[p].store(spawned[p].load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  // `at`: where a thief looks.
  void spawn(int p, atomic<int>* at = nullptr) {
    really_alive.fetch_add(1, std::memory_order_relaxed);
    if (Before) count_spawn(p);
    if (at) at->store(1, std::memory_order_release);
    if (!Before) count_spawn(p);
  }

  void end(int p) {
    really_alive.fetch_sub(1, std::memory_order_relaxed);
    const int count = finished[p].load(std::memory_order_relaxed) + 1;
    if (Released) {
      finished[p].store(count, std::memory_order_release);
    } else {
      finished[p].store(count, std::memory_order_relaxed);
    }
    weft::detail::light_fence();
    if (draining.load(std::memory_order_relaxed) != 0) {
      drained.fetch_add(1, std::memory_order_release);
      const spin_guard guard(kernel);
      if (asleep) woken = true;
    }
  }

  // False: it sleeps.
  bool look_until_drained() {
    for (;;) {
      const int seen = drained.load(std::memory_order_acquire);
      if (alive() == 0) {
        check(really_alive.fetch_add(0, std::memory_order_relaxed) == 0, "a fiber is alive");
        return true;
      }
      const spin_guard guard(kernel);
      if (drained.load(std::memory_order_relaxed) != seen) continue;
      asleep = true;
      return false;
    }
  }

  bool wait_drained() {
    draining.store(1, std::memory_order_relaxed);
    weft::detail::heavy_fence();
    return look_until_drained();
  }

  void check_drained() {
    check(alive() == 0, "all have ended");
    check(!asleep || woken, "the wait for the last fiber goes on for ever");
  }
};

// A fiber ends, on its own.
struct one_fiber : model::test<one_fiber, 2> {
  world<true> w;
  void before() { w.spawn(0); }
  void thread(unsigned index) {
    if (index == 0) {
      w.end(0);
    } else {
      w.wait_drained();
    }
  }
  void after() { w.check_drained(); }
};

// A fiber spawns another, which is stolen and ends elsewhere, perhaps first.
template <bool Released, bool Before>
struct spawn_and_steal : model::test<spawn_and_steal<Released, Before>, 3> {
  world<Released, Before> w;
  atomic<int> slot{0};
  void before() { w.spawn(0); }
  void thread(unsigned index) {
    if (index == 2) {
      w.wait_drained();
      return;
    }
    if (index == 0) {
      w.spawn(0, &slot);
      w.end(0);
    }
    if (slot.exchange(0, std::memory_order_acquire) == 1) w.end(static_cast<int>(index));
  }
  void after() { w.check_drained(); }
};

}  // namespace

int main() {
  using model::operation;
  return model::run(
      {
          model::bounded<one_fiber>(6, "the last fiber against the wait for it"),
          model::bounded<spawn_and_steal<true, true>>(3, "the last two, one of them stolen"),
          model::broken<spawn_and_steal<false, true>>(3, "ends counted by relaxed stores"),
          model::broken<spawn_and_steal<true, false>>(3, "spawns counted behind their publication"),
      },
      "model/drain.cpp",
      {
          {"alive", operation::load, std::memory_order_relaxed,
           "of the spawns: every one that counts was acquired with an end"},
          {"end", operation::read_modify_write, std::memory_order_relaxed,
           "the light fence before it is a full one in a model"},
      });
}
