// The arena's dealings with limits: permits, the guard tier, and memory of idle stacks.
#include <sys/uio.h>

#include <algorithm>

#include "stack/arena.hpp"

namespace weft::detail {
bool stack_arena::ready() noexcept {
  // acquire: pairs with the release below; the tier and the limit are set.
  if (probed_.load(std::memory_order_acquire)) [[likely]]
    return true;
  const std::lock_guard growing(growing_);
  if (probed_.load(std::memory_order_relaxed)) return true;
  stack_failure why;
  if (!guards_.probe(why)) {
    fail(why);
    return false;
  }
  trimmed_.store(os_.now(), std::memory_order_relaxed);
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

std::size_t stack_arena::idle_locked(const depot& d) noexcept {
  return std::size_t{d.idle[warm].count} + d.idle[cool].count + d.idle[cold].count + d.moving;
}

std::size_t stack_arena::idle(stack_class c) noexcept {
  const spin_guard held(depots_[c].lock);
  return idle_locked(depots_[c]);
}

bool stack_arena::period_over() noexcept {
  const nanos at = os_.now();
  nanos last = trimmed_.load(std::memory_order_relaxed);
  // One thread wins the period.
  return at - last >= period && trimmed_.compare_exchange_strong(
                                    last, at, std::memory_order_relaxed, std::memory_order_relaxed);
}

// What a list's `low` counts was not needed in the whole period, and probably will not be soon: a
// load that comes and goes in shorter waves keeps its stacks as they are.
void stack_arena::begin_period(depot& d) noexcept {
  const spin_guard held(d.lock);
  for (const level l : {warm, cool}) {
    d.idle[l].excess = d.idle[l].low;
    d.idle[l].low = d.idle[l].count;
  }
}

void stack_arena::end_period() noexcept {
  if (!period_over()) return;
  for (depot& each : depots_) begin_period(each);
}

bool stack_arena::release_some() noexcept {
  for (depot& d : depots_) {
    if (release(d, cool) > 0 || release(d, warm) > 0) return true;
  }
  return false;
}

void stack_arena::trim() noexcept {
  trimmed_.store(os_.now(), std::memory_order_relaxed);
  for (depot& each : depots_) begin_period(each);
  while (release_some()) {
  }
}

// Moves a portion of a list's excess, the coldest first, one level colder; the number moved. The
// kernel is called with no lock held.
std::size_t stack_arena::release(depot& d, level from) noexcept {
  slot_id ids[batch];
  std::size_t n = 0;
  {
    const spin_guard held(d.lock);
    idle_list& list = d.idle[from];
    list.excess = std::min(list.excess, list.count);
    for (; n < batch && list.excess > 0; --list.excess) {
      ids[n++] = unlink_locked(d, from, list.tail);
    }
    d.moving += static_cast<std::uint32_t>(n);
  }
  if (n == 0) return 0;
  iovec ranges[batch];
  for (std::size_t i = 0; i < n; ++i) {
    const chunk& home = *chunks_.at(ids[i]);
    std::byte* const lo = home.slot(ids[i] % most_slots) + guard_size;
    const std::size_t below_top = home.stride - guard_size - page_size;
    ranges[i] = from == warm ? iovec{lo, below_top} : iovec{lo + below_top, page_size};
  }
  guards_.discard(ranges, n);
  const level to = from == warm ? cool : cold;
  const spin_guard held(d.lock);
  for (std::size_t i = 0; i < n; ++i) push_locked(d, to, ids[i]);
  d.moving -= static_cast<std::uint32_t>(n);
  d.idle[to].low +=
      static_cast<std::uint32_t>(n);  // idle already: it need not wait two periods more
  return n;
}
}  // namespace weft::detail
