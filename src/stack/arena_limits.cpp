// The arena's dealings with limits: permits, the guard tier, and memory of idle stacks.
#include <sys/uio.h>

#include "stack/arena.hpp"

namespace weft::detail {
namespace {
constexpr nanos trim_period = 1'000'000'000;
}

bool stack_arena::ready() noexcept {
  // acquire: pairs with the release below; the tier and the limit are set.
  if (probed_.load(std::memory_order_acquire)) [[likely]] return true;
  const std::lock_guard growing(growing_);
  if (probed_.load(std::memory_order_relaxed)) return true;
  stack_failure why;
  if (!guards_.probe(why)) {
    fail(why);
    return false;
  }
  probed_.store(true, std::memory_order_release);
  return true;
}

guard_tier stack_arena::tier() noexcept {
  static_cast<void>(ready());
  return guards_.tier();
}

bool stack_arena::acquire_permits(std::size_t n) noexcept {
  if (!ready()) return false;
  std::size_t held = permits_.load(std::memory_order_relaxed);
  for (;;) {
    const std::size_t limit = guards_.limit();
    if (n > limit || held > limit - n) {
      const bool by_map_count = guards_.tier() == guard_tier::mprotect;
      fail({by_map_count ? shortage::map_count : shortage::fibers, 0});
      return false;
    }
    if (permits_.compare_exchange_weak(held, held + n, std::memory_order_relaxed,
                                       std::memory_order_relaxed)) {
      return true;
    }
  }
}

void stack_arena::release_permits(std::size_t n) noexcept {
  permits_.fetch_sub(n, std::memory_order_relaxed);
}

void stack_arena::throw_exhausted() const {
  throw_stack_failure(last_error(), guards_.limit(), os_);
}

stack_arena::usage stack_arena::stats() const noexcept {
  return {in_use_.load(std::memory_order_relaxed), cached_.load(std::memory_order_relaxed),
          mapped_.load(std::memory_order_relaxed)};
}

void stack_arena::trim_if_due() noexcept {
  const nanos at = now();
  nanos last = trimmed_.load(std::memory_order_relaxed);
  if (at - last < trim_period) return;
  // One thread wins the period.
  if (trimmed_.compare_exchange_strong(last, at, std::memory_order_relaxed,
                                       std::memory_order_relaxed) &&
      last != 0) {
    trim();
  }
}

// What a list's `low` counts was not needed since the last trim, and probably will not be soon: a
// load that comes and goes in waves shorter than the period keeps its stacks as they are.
void stack_arena::trim() noexcept {
  trimmed_.store(now(), std::memory_order_relaxed);
  for (depot& d : depots_) {
    // Cool ones first: what cools now keeps its top page for a period more.
    for (const level from : {cool, warm}) {
      std::size_t excess = 0;
      {
        const spin_guard held(d.lock);
        excess = d.idle[from].low;
      }
      release(d, from, excess);
    }
    const spin_guard held(d.lock);
    for (const level l : {warm, cool}) d.idle[l].low = d.idle[l].count;
  }
}

// Moves up to n stacks one level colder; the kernel is called with no lock held.
void stack_arena::release(depot& d, level from, std::size_t n) noexcept {
  while (n > 0) {
    slot_id ids[batch];
    iovec ranges[batch];
    std::size_t got = 0;
    {
      const spin_guard held(d.lock);
      while (got < batch && got < n && d.idle[from].head != 0) ids[got++] = pop_locked(d, from);
    }
    if (got == 0) return;
    for (std::size_t i = 0; i < got; ++i) {
      const chunk& home = *chunks_.at(ids[i]);
      std::byte* const lo = home.slot(ids[i] % most_slots) + guard_size;
      const std::size_t below_top = home.stride - guard_size - page_size;
      ranges[i] = from == warm ? iovec{lo, below_top} : iovec{lo + below_top, page_size};
    }
    guards_.discard(ranges, got);
    const spin_guard held(d.lock);
    for (std::size_t i = 0; i < got; ++i) {
      push_locked(d, from == warm ? cool : cold, ids[i]);
    }
    n -= got;
  }
}
}  // namespace weft::detail
