// A processor's stock of stacks of one class, which are all alike.
#pragma once
#include "base/atomic.hpp"
#include "stack/arena.hpp"

namespace weft::detail {
class stack_cache {
 public:
  void give(stack_class, stack) noexcept { count_.store(count() + 1, std::memory_order_relaxed); }
  stack take(stack_class) noexcept {
    if (count() == 0) return stack_arena::instance().take() ? some() : stack{};
    count_.store(count() - 1, std::memory_order_relaxed);
    return some();
  }
  void flush() noexcept {
    if (count() == 0) return;
    stack_arena::instance().give(count());
    count_.store(0, std::memory_order_relaxed);
  }
  std::size_t size() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  static stack some() noexcept {
    static std::byte memory[1];
    return {memory, memory};
  }
  std::uint32_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  atomic<std::uint32_t> count_{0};
};
}  // namespace weft::detail
