#pragma once
#include <cstddef>
#include <cstdint>

namespace weft::detail {
// What a fiber may use is [lo, hi): hi is 16-byte aligned, lo page-aligned, and any access to
// [lo - guard_size, lo) faults. The colouring (docs/stacks.md) is already taken off hi.
struct stack {
  std::byte* lo = nullptr;
  std::byte* hi = nullptr;
  explicit operator bool() const noexcept { return hi != nullptr; }
};

// 64 KiB, because Debian's libraries are built without stack probes and have frames of 33 KB: one
// such frame must not be able to step over the guard into the next stack.
inline constexpr std::size_t guard_size = 64 * 1024;
inline constexpr std::size_t page_size = 4096;

// How this process guards stacks: by page-table markers (MADV_GUARD_INSTALL, no mapping of their
// own) or by PROT_NONE mappings (two mappings a stack, so at most a budget of them).
enum class guard_tier : std::uint8_t { none_yet, madvise, mprotect };

// Powers of two from 16 KiB to 64 MiB.
using stack_class = std::uint8_t;
inline constexpr std::size_t smallest_stack = 16 * 1024;
inline constexpr stack_class stack_classes = 13;
inline constexpr std::size_t default_stack = 256 * 1024;

inline constexpr std::size_t stack_class_bytes(stack_class c) noexcept {
  return smallest_stack << c;
}

// The smallest class of at least `bytes`, and of at least what a signal frame of this CPU needs on
// top of a little code. Throws std::system_error (EINVAL) for 0 and for more than the largest
// class; a caller for whom 0 means "the default" replaces it first.
stack_class stack_class_for(std::size_t bytes);
}  // namespace weft::detail
