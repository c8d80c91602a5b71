#include <weft/event.hpp>

#include "sync/core_of.hpp"
#include "sync/event_core.hpp"
#include "sync/points.hpp"

namespace weft {
namespace {
using detail::core_of;
using detail::event_core;
}  // namespace

event::~event() {
  core_of<event_core>(state_).end("weft::event");
}
void event::set() noexcept {
  detail::notify_point();
  core_of<event_core>(state_).set();
}
void event::reset() noexcept {
  detail::notify_point();
  core_of<event_core>(state_).reset();
}
bool event::is_set() const noexcept {
  detail::lock_point();
  return core_of<event_core>(state_).is_set();
}
bool event::wait_until(std::int64_t deadline) const {
  detail::throw_if_ended(detail::entry_check());
  auto& core = core_of<event_core>(state_);
  if (core.is_set()) return true;
  if (deadline <= 0) return false;
  const detail::wait_end end = core.wait_slow(deadline);
  detail::throw_if_ended(end);
  return end == detail::wait_end::woken;
}
}  // namespace weft
