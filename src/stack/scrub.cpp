#include "stack/scrub.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

namespace weft::detail {
[[gnu::noinline]] std::byte* scrub_pages(const stack& mine) noexcept {
  // A page away: the system call below must not pull its own frame from under its feet.
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - page_size;
  auto* const end = reinterpret_cast<std::byte*>(here & ~(page_size - 1));
  if (end <= mine.lo) return mine.lo;
  const auto size = static_cast<std::size_t>(end - mine.lo);
  // Locked memory stays where it is.
  if (::madvise(mine.lo, size, MADV_DONTNEED) != 0) std::memset(mine.lo, 0, size);
  return end;
}

void scrub_all(const stack& idle) noexcept {
  const auto size = static_cast<std::size_t>(idle.hi - idle.lo);
  // The top is not the end of a page: colouring.
  const std::size_t whole = size & ~(page_size - 1);
  if (::madvise(idle.lo, whole, MADV_DONTNEED) != 0) std::memset(idle.lo, 0, whole);
  std::memset(idle.lo + whole, 0, size - whole);
}

// Word by word and opaque, or the compiler would call memset, which has a frame.
[[gnu::noinline, gnu::no_sanitize_address, gnu::no_sanitize_thread]] void scrub_rest(
    std::byte* from) noexcept {
  auto* word = reinterpret_cast<std::uintptr_t*>(from);
  auto* const end = static_cast<std::uintptr_t*>(__builtin_frame_address(0));
  for (; word < end; ++word) {
    *word = 0;
    asm volatile("" ::: "memory");
  }
}
}  // namespace weft::detail
