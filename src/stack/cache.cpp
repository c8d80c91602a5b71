#include "stack/cache.hpp"

#include <algorithm>
#include <new>

#include "base/errno.hpp"

namespace weft::detail {
namespace {
// The arena makes system calls that may fail; whose errno this is, a fiber's or its successor's, is
// not for this layer to know. No switch happens in between, so the address stays good.
class errno_kept {
 public:
  errno_kept() noexcept = default;
  ~errno_kept() { errno = before_; }
  errno_kept(const errno_kept&) = delete;
  errno_kept& operator=(const errno_kept&) = delete;

 private:
  const int before_ = errno;
};
}  // namespace

constinit stack_cache::shelf stack_cache::no_shelf_{};

stack_cache::stack_cache(stack_arena& arena) noexcept : arena_(arena) {
  for (atomic<shelf*>& s : shelves_) s.store(&no_shelf_, std::memory_order_relaxed);
}

stack_cache::~stack_cache() {
  flush();
  for (stack_class c = 0; c < stack_classes; ++c) {
    if (shelf& s = shelf_of(c); &s != &no_shelf_) delete &s;
  }
}

bool stack_cache::make_shelf(stack_class c) noexcept {
  auto* const made = new (std::nothrow) shelf;
  if (made == nullptr) return false;
  made->capacity = room;
  // release: pairs with the acquire in size().
  shelves_[c].store(made, std::memory_order_release);
  return true;
}

// Refills double from 4 to 32, so that a process with few fibers guards few stacks, and one that
// makes a million has a system call for each 32.
stack stack_cache::take_slow(stack_class c) noexcept {
  const errno_kept kept;
  if (&shelf_of(c) == &no_shelf_ && !make_shelf(c)) {
    stack one;
    return arena_.take(c, &one, 1) == 1 ? one : stack{};
  }
  shelf& s = shelf_of(c);
  const std::size_t got = arena_.take(c, s.items, s.refill);
  if (got == 0) return {};
  s.refill = std::min(s.refill * 2, most_moved);
  std::reverse(s.items, s.items + got);  // addresses ascend as they are taken
  s.count.store(static_cast<std::uint32_t>(got - 1), std::memory_order_relaxed);
  return s.items[got - 1];
}

// The coldest half leaves.
void stack_cache::give_slow(stack_class c, stack given) noexcept {
  const errno_kept kept;
  if (&shelf_of(c) == &no_shelf_ && !make_shelf(c)) return arena_.give(c, &given, 1);
  shelf& s = shelf_of(c);
  std::uint32_t n = s.count.load(std::memory_order_relaxed);
  if (n == s.capacity) {
    arena_.give(c, s.items, most_moved);
    std::copy(s.items + most_moved, s.items + n, s.items);
    n -= most_moved;
    s.refill = most_moved;
  }
  s.items[n] = given;
  s.count.store(n + 1, std::memory_order_relaxed);
}

void stack_cache::flush() noexcept {
  for (stack_class c = 0; c < stack_classes; ++c) {
    shelf& s = shelf_of(c);
    if (&s == &no_shelf_) continue;
    s.refill = 1;  // stacks may be so few that they are passed round one by one
    const std::uint32_t n = s.count.load(std::memory_order_relaxed);
    if (n == 0) continue;
    arena_.give(c, s.items, n);
    s.count.store(0, std::memory_order_relaxed);
  }
}

std::size_t stack_cache::size() const noexcept {
  std::size_t sum = 0;
  for (const atomic<shelf*>& s : shelves_) {
    // acquire: pairs with the release in make_shelf().
    sum += s.load(std::memory_order_acquire)->count.load(std::memory_order_relaxed);
  }
  return sum;
}
}  // namespace weft::detail
