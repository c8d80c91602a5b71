#pragma once
#include "stack/stack.hpp"

namespace weft::detail {
// The whole pages that lie well below the caller's frame go back to the kernel, which clears them
// when they are touched again. Returns where they end.
std::byte* scrub_pages(const stack& mine) noexcept;
// Clears from there up to the caller's frame: a leaf without locals, so that all that it has on the
// stack is what the call has just written over.
void scrub_rest(std::byte* from) noexcept;

// All of a stack that nobody is on.
void scrub_all(const stack&) noexcept;

// On the stack `mine`: clears all that frames which are gone have left on it.
[[gnu::always_inline]] inline void scrub_below(const stack& mine) noexcept {
  scrub_rest(scrub_pages(mine));
}
}  // namespace weft::detail
