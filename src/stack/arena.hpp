#pragma once
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "base/clock.hpp"
#include "base/spin_lock.hpp"
#include "stack/chunk_table.hpp"
#include "stack/exhaustion.hpp"
#include "stack/guards.hpp"
#include "stack/platform.hpp"
#include "stack/stack.hpp"

namespace weft::detail {
// All stacks of the process. Type-stable: memory that was once a stack stays one, is recycled and
// never unmapped. Any thread may call; everything is meant for batches, behind a stack_cache.
class stack_arena {
 public:
  static stack_arena& instance() noexcept;
  // Tests make their own; their chunks stay mapped when they go.
  constexpr explicit stack_arena(const platform& os) noexcept : os_(os), guards_(os) {}
  stack_arena(const stack_arena&) = delete;
  stack_arena& operator=(const stack_arena&) = delete;

  // Up to n guarded stacks, recycled ones before new ones; fewer than n does not mean exhausted. 0:
  // last_error() says why. Never unguarded.
  std::size_t take(stack_class c, stack* out, std::size_t n) noexcept;
  void give(stack_class c, const stack* in, std::size_t n) noexcept;

  // Permission for n more fibers to exist (D4). False: throw_exhausted() tells the spawner.
  bool acquire_permits(std::size_t n) noexcept;
  void release_permits(std::size_t n) noexcept;

  // The calling thread asks right after its failed call; another thread's later failure may be the
  // one described.
  stack_failure last_error() const noexcept { return failure_.load(std::memory_order_relaxed); }
  [[noreturn]] void throw_exhausted() const;

  // Memory of idle stacks goes back to the kernel. A period is a second: when it ends, those stacks
  // are due that it did not need, for all but the top page; a period later for that too. give()
  // ends periods and returns small portions. Monitors, which see that nobody gives, do the same
  // more thoroughly; there may be several, a period ends once.
  static constexpr nanos period = 1'000'000'000;
  void end_period() noexcept;    // if it has lasted long enough
  bool release_some() noexcept;  // at most 64 of those that are due; false: none is
  // Ends a period, however short, and returns all that is due: three calls empty whatever is idle.
  void trim() noexcept;

  guard_tier tier() noexcept;  // probes on first use; none_yet: there is no way to guard
  struct usage {
    std::size_t in_use;  // handed out; those lying in a stack_cache included
    std::size_t cached;  // idle, in the arena
    std::size_t mapped_bytes;
  };
  usage stats() const noexcept;

  // Idle stacks of the class. One that trim() or give() is moving counts, though a take() fails
  // beside it.
  std::size_t idle(stack_class c) noexcept;

  // Which stack an address belongs to, its guard included. Lock-free, signal-safe.
  bool find(const void* address, stack* out) const noexcept;

 private:
  // How much of an idle stack is resident: `warm` perhaps all of it, `cool` its top page, `cold`
  // nothing. `bare` has no guard: a new slot whose guard was refused.
  enum level : unsigned { warm, cool, cold, bare, levels };
  struct idle_list {
    slot_id head = 0;  // the warmest: given back last
    slot_id tail = 0;
    std::uint32_t count = 0;
    std::uint32_t low = 0;     // the smallest count since this period began
    std::uint32_t excess = 0;  // what the last period did not need, and is not yet moved on
  };
  struct alignas(cache_line) depot {
    spin_lock lock;  // guards what follows, and the links of the class's chunks
    idle_list idle[levels];
    std::uint32_t moving = 0;                 // from one list to another, on neither
    chunk* current = nullptr;                 // where new slots come from
    std::size_t next_chunk = smallest_chunk;  // written under growing_
  };
  static constexpr std::size_t batch = 64;

  std::size_t take_batch(stack_class c, stack* out, std::size_t n) noexcept;
  bool grow(stack_class c, const chunk* full) noexcept;
  bool ready() noexcept;
  void fail(stack_failure why) noexcept { failure_.store(why, std::memory_order_relaxed); }

  slot_id unlink_locked(depot& d, level l, slot_id id) noexcept;
  void push_locked(depot& d, level l, slot_id id) noexcept;
  std::size_t pop_idle_locked(depot& d, slot_id* ids, std::size_t n) noexcept;
  std::size_t claim_new_locked(depot& d, slot_id* ids, std::size_t n) noexcept;
  std::size_t release(depot& d, level from) noexcept;
  static std::size_t idle_locked(const depot& d) noexcept;
  bool period_over() noexcept;
  void begin_period(depot& d) noexcept;
  stack stack_of(slot_id id) const noexcept;
  slot_links& links(slot_id id) noexcept;

  const platform& os_;
  stack_guards guards_;
  chunk_table chunks_;
  depot depots_[stack_classes];
  std::mutex growing_;  // held over mmap, so not a spin lock; before any depot's lock
  // Counters and hints, relaxed throughout: none of them publishes other memory.
  atomic<bool> probed_{false};
  atomic<stack_failure> failure_{};
  atomic<std::size_t> permits_{0};
  atomic<std::size_t> in_use_{0};
  atomic<std::size_t> cached_{0};
  atomic<std::size_t> mapped_{0};
  atomic<nanos> trimmed_{0};
};
}  // namespace weft::detail
