#include "time/deadline_scope.hpp"

#include <weft/deadline.hpp>

#include "park/park.hpp"

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
  return detail::now();
}
}  // namespace weft
