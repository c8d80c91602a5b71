#include "time/deadline_scope.hpp"

#include <weft/cancel_shield.hpp>
#include <weft/deadline.hpp>

#include "park/park.hpp"
#include "sched/explorer.hpp"

namespace weft {
deadline_exceeded::deadline_exceeded()
    : std::system_error(std::make_error_code(std::errc::timed_out),
                        "weft: the deadline of a deadline_scope has passed") {}

deadline_scope::deadline_scope(std::int64_t deadline) {
  detail::control_block& me = detail::self_block();
  const detail::thread_header* header = detail::current();
  outer_ = me.deadline;
  outer_level_ = me.deadline_level;
  const std::int64_t outer = detail::scope_deadline_on(header, me);
  me.deadline = deadline < outer ? deadline : outer;
  constexpr unsigned most = 127;
  const unsigned level = header->exceptions->uncaught;
  me.deadline_level = static_cast<std::uint8_t>(level < most ? level : most) & most;
}

deadline_scope::~deadline_scope() {
  detail::control_block& me = detail::self_block();
  me.deadline = outer_;
  me.deadline_level = outer_level_ & 127;
}

cancel_shield::cancel_shield() {
  detail::control_block& me = detail::self_block();
  outer_ = me.shielded;
  hidden_deadline_ = me.deadline;
  me.shielded = 1;
  me.deadline = detail::never;
}

cancel_shield::~cancel_shield() {
  detail::control_block& me = detail::self_block();
  me.shielded = outer_;
  me.deadline = hidden_deadline_;
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
