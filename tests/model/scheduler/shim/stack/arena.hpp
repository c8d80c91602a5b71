// Stacks without memory: how many are free, and the permits. Both guarded as in production.
#pragma once
#include <cstddef>

#include "base/atomic.hpp"
#include "base/clock.hpp"
#include "base/spin_lock.hpp"
#include "stack/stack.hpp"

namespace weft::detail {
class stack_arena {
 public:
  static stack_arena& instance() noexcept;

  // As in arena_limits.cpp.
  bool acquire_permits(std::size_t n) noexcept {
    std::size_t held = permits_.load(std::memory_order_relaxed);
    for (;;) {
      if (n > limit || held > limit - n) return false;
      if (permits_.compare_exchange_strong(held, held + n, std::memory_order_relaxed,
                                           std::memory_order_relaxed)) {
        return true;
      }
    }
  }
  void release_permits(std::size_t n) noexcept { permits_.fetch_sub(n, std::memory_order_relaxed); }
  std::size_t permits() const noexcept { return permits_.load(std::memory_order_relaxed); }

  // Under the lock of the class, as take_batch() and give() in arena.cpp are.
  bool take() noexcept {
    const spin_guard guard(lock_);
    if (free == 0) return false;
    --free;
    return true;
  }
  void give(std::size_t n) noexcept {
    const spin_guard guard(lock_);
    free += n;
  }
  std::size_t idle(stack_class) noexcept {
    const spin_guard guard(lock_);
    return free;
  }

  static constexpr nanos period = 1'000'000'000;
  void end_period() noexcept;
  bool release_some() noexcept { return false; }

  std::size_t limit = 1000;
  std::size_t free = 0;  // guarded by lock_

 private:
  spin_lock lock_;
  atomic<std::size_t> permits_{0};
};
}  // namespace weft::detail
