#include "time/deadline_scope.hpp"

#include <weft/deadline.hpp>

#include "park/park.hpp"
#include "sched/explorer.hpp"

namespace weft {
deadline_exceeded::deadline_exceeded()
    : std::system_error(std::make_error_code(std::errc::timed_out),
                        "weft: the deadline of a deadline_scope has passed") {}

deadline_scope::deadline_scope(std::int64_t deadline) {
  detail::control_block& me = detail::self_block();
  outer_ = me.deadline;
  if (deadline < outer_) me.deadline = deadline;
}

deadline_scope::~deadline_scope() {
  detail::self_block().deadline = outer_;
}

std::int64_t detail::monotonic_now() noexcept {
  return detail::now_here();
}

std::int64_t detail::steady_deadline(std::int64_t at) noexcept {
  explorer* const exploring = current()->exploring;
  if (!exploring) return at;
  exploring->real_clock();
  const nanos left = saturating_add(at, -detail::now());
  return left > 0 ? saturating_add(exploring->now(), left) : 0;
}

bool detail::note_real_clock() noexcept {
  explorer* const exploring = current()->exploring;
  if (exploring) exploring->real_clock();
  return exploring != nullptr;
}
}  // namespace weft
