#include <weft/fiber.hpp>

#include "time/timed_park.hpp"

namespace weft::this_fiber {
bool detail::stopped_sleeping_until(std::int64_t deadline) {
  using namespace weft::detail;
  for (wait_end end = entry_check(); end != wait_end::cancelled;
       end = wait(wait_kind::sleep, reinterpret_cast<const void*>(deadline), deadline, nullptr,
                  nullptr)) {
    throw_if_ended(end);
    if (deadline <= 0 || end == wait_end::timed_out) return false;
  }
  return true;
}
}  // namespace weft::this_fiber
