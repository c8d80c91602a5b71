#pragma once
#include <cstddef>
#include <cstdint>

#include "base/atomic.hpp"
#include "stack/arena.hpp"
#include "stack/stack.hpp"

namespace weft::detail {
// A processor's stock of stacks, last in first out: the stack that ended last is the warmest. Owner
// only, size() aside. Each size class has a shelf, made when the class is first given back to or
// refilled; refills and spills go to the arena in batches.
class stack_cache {
 public:
  explicit stack_cache(stack_arena& arena = stack_arena::instance()) noexcept;
  ~stack_cache();
  stack_cache(const stack_cache&) = delete;
  stack_cache& operator=(const stack_cache&) = delete;

  // A null stack: the arena is exhausted, and its last_error() says why.
  stack take(stack_class c) noexcept {
    shelf& s = shelf_of(c);
    const std::uint32_t n = s.count.load(std::memory_order_relaxed);
    if (n == 0) [[unlikely]]
      return take_slow(c);
    s.count.store(n - 1, std::memory_order_relaxed);
    return s.items[n - 1];
  }

  // False: there is no room, and give() would call the arena.
  bool try_give(stack_class c, stack given) noexcept {
    shelf& s = shelf_of(c);
    const std::uint32_t n = s.count.load(std::memory_order_relaxed);
    if (n == s.capacity) [[unlikely]]
      return false;
    s.items[n] = given;
    s.count.store(n + 1, std::memory_order_relaxed);
    return true;
  }
  void give(stack_class c, stack given) noexcept {
    if (!try_give(c, given)) [[unlikely]]
      give_slow(c, given);
  }

  void flush() noexcept;              // all of it back to the arena
  std::size_t size() const noexcept;  // any thread, while the cache lives

 private:
  static constexpr std::uint32_t room = 64;
  static constexpr std::uint32_t first_refill = 4;
  static constexpr std::uint32_t most_moved = 32;
  struct shelf {
    atomic<std::uint32_t> count{0};  // written by the owner, read by size()
    std::uint32_t capacity = 0;
    std::uint32_t refill = first_refill;
    stack items[room];
  };

  // relaxed: the owner reads what it wrote itself.
  shelf& shelf_of(stack_class c) noexcept { return *shelves_[c].load(std::memory_order_relaxed); }
  bool make_shelf(stack_class c) noexcept;
  [[gnu::noinline]] stack take_slow(stack_class c) noexcept;
  [[gnu::noinline]] void give_slow(stack_class c, stack given) noexcept;

  // Both empty and full: stands for a shelf not made yet, so that the fast paths need no null
  // check.
  static shelf no_shelf_;
  stack_arena& arena_;
  atomic<shelf*> shelves_[stack_classes];
};
}  // namespace weft::detail
