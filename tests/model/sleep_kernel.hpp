// The kernel of sleep_world.hpp: one futex for each carrier, and an epoll with an eventfd in it. A
// carrier that sleeps is marked so, and its thread of the model ends there.
#pragma once

#include "model.hpp"

#include "base/spin_lock.hpp"

namespace sleeping {

using model::check;
using weft::detail::atomic;
using weft::detail::spin_guard;
using weft::detail::spin_lock;
using nanos = int;

constexpr nanos never = 1000;
constexpr nanos soon = 5;
enum sleep_state : std::uint32_t { awake, on_futex, in_watch, notified };
enum class place { user, futex, poll };

struct task {
  task* next = nullptr;
};

struct carrier;

struct processor {
  bool listed = false;         // guarded by idle_lock
  carrier* sleeper = nullptr;  // likewise
  model::checked<int> queue;   // what belongs to the owner
};

struct carrier {
  atomic<std::uint32_t> sleep{awake};
  model::checked<processor*> handed;
  place at = place::user;     // guarded by the kernel lock
  bool woken = false;         // likewise: the futex has been woken
  nanos until = never;        // of its poll
  processor* held = nullptr;  // its own
  processor* idle_with = nullptr;
  bool searching = false;
  bool busy = false;  // runs a task that never ends
};

// Level: the eventfd is level-triggered; else its edge may go to a poll that does not block.
template <bool Level>
struct sleep_kernel {
  spin_lock inside;
  bool kicked = false;  // guarded by it: the eventfd is ready

  // False: it sleeps.
  bool futex_wait(carrier& me) {
    const spin_guard guard(inside);
    if (me.sleep.load(std::memory_order_relaxed) != on_futex) return true;
    me.at = place::futex;
    return false;
  }
  void futex_wake(carrier& c) {
    const spin_guard guard(inside);
    if (c.at == place::futex) c.woken = true;
  }
  void kick() {
    const spin_guard guard(inside);
    kicked = true;
  }
  // False: it sleeps.
  bool poll(carrier& me, nanos until) {
    const spin_guard guard(inside);
    if (kicked) {
      kicked = false;
      return true;
    }
    me.at = place::poll;
    me.until = until;
    return false;
  }
  // A busy processor's look.
  void poll_now() {
    const spin_guard guard(inside);
    if (!Level) kicked = false;
  }
};

}  // namespace sleeping
