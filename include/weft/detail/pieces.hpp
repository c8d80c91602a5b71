#pragma once
// What the loops of <weft/parallel.hpp> ask the library.
#include <cstdint>

namespace weft::detail {
bool is_on_fiber() noexcept;
// Whether to fork what is left: thieves have taken all that was offered here. `depth`: how often
// that has been done already, where it cannot be known.
bool wants_branches(unsigned depth) noexcept;
// How long a piece takes. The verdict: 1, the next may be larger; -1, it must be smaller.
std::uint64_t piece_begins() noexcept;
int piece_verdict(std::uint64_t begun) noexcept;
// A cancellation point.
void between_pieces();
}  // namespace weft::detail
