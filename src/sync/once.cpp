#include <weft/once.hpp>

#include "sync/core_of.hpp"
#include "sync/once_core.hpp"
#include "sync/points.hpp"

namespace weft {
bool once_flag::begin() {
  return detail::core_of<detail::once_core>(state_).begin(detail::self_of(detail::lock_point()));
}
void once_flag::finish(bool success) noexcept {
  detail::core_of<detail::once_core>(state_).finish(detail::self_of(detail::lock_point()), success);
}
}  // namespace weft
