#pragma once
#include "base/atomic.hpp"
#ifndef WEFT_MODEL
#include <sched.h>
#endif

namespace weft::detail {
// For sections of a few dozen instructions. Any thread may lock; nobody parks, allocates or enters
// the kernel while holding it. After a short spin the waiter gives its CPU away: with more threads
// than CPUs the holder may have been preempted.
class spin_lock {
 public:
  void lock() noexcept {
    // acquire: pairs with the release in unlock().
    if (!held_.exchange(true, std::memory_order_acquire)) [[likely]]
      return;
    lock_slow();
  }
  bool try_lock() noexcept { return !held_.exchange(true, std::memory_order_acquire); }
  // release: pairs with the acquire of the next lock().
  void unlock() noexcept { held_.store(false, std::memory_order_release); }

 private:
  [[gnu::noinline]] void lock_slow() noexcept {
    int spins = 0;
    do {
      while (held_.load(std::memory_order_relaxed)) {
#ifdef WEFT_MODEL
        cpu_relax();
#else
        if (++spins < 64) {
          cpu_relax();
        } else {
          ::sched_yield();
        }
#endif
      }
      // acquire: pairs with the release in unlock().
    } while (held_.exchange(true, std::memory_order_acquire));
    static_cast<void>(spins);
  }

  atomic<bool> held_{false};
};

class spin_guard {
 public:
  explicit spin_guard(spin_lock& lock) noexcept : lock_(lock) { lock_.lock(); }
  ~spin_guard() { lock_.unlock(); }
  spin_guard(const spin_guard&) = delete;
  spin_guard& operator=(const spin_guard&) = delete;

 private:
  spin_lock& lock_;
};
}  // namespace weft::detail
