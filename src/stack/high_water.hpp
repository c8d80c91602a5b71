#pragma once
#include <cstddef>

#include "stack/stack.hpp"

// How deep a fiber came down its stack. Stacks are reused, so what lies there says nothing by
// itself: before a fiber begins, its stack is painted; afterwards the lowest word that is not paint
// is as deep as it came.
//
// Only pages that are resident are painted: others are all zero when they become so. On a page that
// the fiber itself brought in, zeros are therefore no use, but for one rule: a page that is
// resident and all zero has been touched, by a probe of a large frame, and counts as used to its
// lowest byte. So the figure is exact to a word, but for a fiber whose deepest act was to write
// zeros on a new page, or only to probe it: up to a page too little in the first case, too much in
// the second.
namespace weft::detail {
// Nobody is on the stack below `sp`.
void paint_stack(const stack& s, const std::byte* sp) noexcept;
// Bytes from s.hi down to the deepest use. The fiber may still be running: then it is what it has
// used so far. Signal-safe.
std::size_t used_of_stack(const stack& s) noexcept;
}  // namespace weft::detail
