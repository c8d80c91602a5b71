// What loops over ranges ask: <weft/parallel.hpp>.
#include <weft/detail/pieces.hpp>

#include "base/clock.hpp"
#include "sched/branches.hpp"
#include "time/timed_park.hpp"

namespace weft::detail {
namespace {
// Long against a clock's reading and a look at the lane, short against a steal.
constexpr nanos short_piece = 2'000;
constexpr nanos long_piece = 10'000;
}  // namespace

bool is_on_fiber() noexcept {
  return current()->fiber != nullptr;
}

// By the time; where that would make a run another, pieces grow whatever they take.
std::uint64_t piece_begins() noexcept {
  return current()->lane ? ticks() : 0;
}

int piece_verdict(std::uint64_t begun) noexcept {
  if (begun == 0) return 1;
  const std::uint64_t took = ticks() - begun;
  return took < ticks_in(short_piece) ? 1 : took > ticks_in(long_piece) ? -1 : 0;
}

void between_pieces() {
  throw_if_ended(entry_check());
}
}  // namespace weft::detail
