// A lock whose waiters block, so that a search of what it guards has no turns of a spin loop to
// go through. The production lock has a model of its own, spin_lock.cpp.
#pragma once
#include "base/atomic.hpp"

namespace weft::detail {
class spin_lock {
 public:
  void lock() noexcept {
    while (order_.fetch_add(1, std::memory_order_acquire), held_) {
      waiting_.park_current(rl::ctx(), false, false, false, RL_INFO);
    }
    held_ = true;
  }
  bool try_lock() noexcept {
    order_.fetch_add(1, std::memory_order_acquire);
    if (held_) return false;
    return held_ = true;
  }
  // What others see of a lock that is about to be released is what they see of one that is held:
  // no other order of events to be tried here.
  void unlock() noexcept {
    const model::without_preemption step(true);
    order_.fetch_add(1, std::memory_order_release);
    held_ = false;
    waiting_.unpark_all(rl::ctx(), RL_INFO);
  }

 private:
  atomic<unsigned> order_{0};
  bool held_ = false;
  rl::waitset<8> waiting_;
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
