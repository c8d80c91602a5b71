#pragma once
#include <cstddef>

#include "base/atomic.hpp"
#include "stack/exhaustion.hpp"
#include "stack/platform.hpp"
#include "stack/stack.hpp"

namespace weft::detail {
// The most fibers that one process may have where guards cost no mapping: 2^24 stacks of 256 KiB
// are 5 TiB of the 128 TiB of addresses, and their pages 64 GiB at the least.
inline constexpr std::size_t most_fibers = std::size_t{1} << 24;

// Makes ranges of guard_size bytes fault, for good. Any thread.
class stack_guards {
 public:
  constexpr explicit stack_guards(const platform& os) noexcept : os_(os) {}

  // Finds the tier by its effect, not by the kernel's version: an emulator may accept advice that
  // it ignores. To be called until it succeeds, by one thread at a time, before the rest is used.
  bool probe(stack_failure& why) noexcept;

  // Guards [at[i], at[i] + guard_size) in order; the number done. Fewer than n: `why` is set, and
  // those not done are as they were. Installing over a guard is harmless.
  std::size_t install(std::byte* const* at, std::size_t n, stack_failure& why) noexcept;

  // Gives the pages of these ranges back to the kernel; they read as zero from then on.
  void discard(const iovec* ranges, std::size_t n) noexcept;

  guard_tier tier() const noexcept { return tier_.load(std::memory_order_relaxed); }
  // How many stacks can be guarded, all told. Shrinks when the kernel stops granting markers.
  std::size_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }

 private:
  std::size_t advise_each(const iovec* ranges, std::size_t n, int advice) noexcept;
  std::size_t install_by_mprotect(std::byte* const* at, std::size_t n, stack_failure& why) noexcept;
  void use_mprotect() noexcept;

  const platform& os_;
  // Relaxed: set once by the probe, under the arena's lock; later changes only ever go from madvise
  // to mprotect and from vectored to single, and a late reader merely has one more call refused.
  atomic<guard_tier> tier_{guard_tier::none_yet};
  atomic<bool> vectored_{false};
  atomic<std::size_t> limit_{0};
  atomic<std::size_t> marked_{0};     // guards that are page-table markers
  atomic<std::size_t> protected_{0};  // guards that are mappings
  atomic<std::size_t> budget_{0};     // the most of the latter
};
}  // namespace weft::detail
