#include <weft/fiber.hpp>

#include "time/timed_park.hpp"

namespace weft::this_fiber {
void detail::sleep_until(std::int64_t deadline) {
  using namespace weft::detail;
  throw_if_ended(entry_check());
  if (deadline <= 0) return;
  for (;;) {
    const wait_end end =
        wait(wait_kind::sleep, reinterpret_cast<const void*>(deadline), deadline, nullptr, nullptr);
    throw_if_ended(end);
    if (end == wait_end::timed_out) return;
  }
}
}  // namespace weft::this_fiber
