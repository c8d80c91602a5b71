#include <weft/condition_variable.hpp>

#include "base/fatal.hpp"
#include "sched/spawn.hpp"
#include "sync/condition_core.hpp"
#include "sync/core_of.hpp"
#include "sync/points.hpp"

namespace weft {
using detail::condition_any_wait;
using detail::condition_core;
using detail::core_of;
using detail::mutex_core;

condition_variable::~condition_variable() {
  core_of<condition_core>(state_).end("weft::condition_variable");
}
void condition_variable::notify_one() noexcept {
  detail::notify_point();
  core_of<condition_core>(state_).notify_one();
}
void condition_variable::notify_all() noexcept {
  detail::notify_point();
  core_of<condition_core>(state_).notify_all();
}
bool condition_variable::wait_until(std::unique_lock<mutex>& lock, std::int64_t deadline) {
  const detail::owner_id me = detail::self_of(detail::lock_point());
  mutex_core* const owned = lock.mutex() ? &core_of<mutex_core>(lock.mutex()->state_) : nullptr;
  // In a forked child the fiber that has locked it goes on as a plain thread.
  if (!lock.owns_lock() || (!owned->is_owned_by(me) && !detail::has_forked())) {
    detail::fatal("weft::condition_variable at %p: %s waits without owning the lock",
                  static_cast<void*>(this), detail::owner_name(me).text);
  }
  return core_of<condition_core>(state_).wait(*owned, me, deadline);
}

condition_variable_any::~condition_variable_any() {
  core_of<condition_core>(state_).end("weft::condition_variable_any");
}
void condition_variable_any::notify_one() noexcept {
  detail::notify_point();
  core_of<condition_core>(state_).notify_one();
}
void condition_variable_any::notify_all() noexcept {
  detail::notify_point();
  core_of<condition_core>(state_).notify_all();
}

namespace detail {
condition_frame::condition_frame(sync_storage<2>& queue) noexcept {
  core_of<condition_any_wait>(state_).link(core_of<condition_core>(queue));
}
condition_frame::~condition_frame() {
  core_of<condition_any_wait>(state_).unlink();
}
bool condition_frame::park(std::int64_t deadline) {
  return core_of<condition_any_wait>(state_).park(deadline);
}
void condition_frame::notify() noexcept {
  core_of<condition_any_wait>(state_).notify();
}
}  // namespace detail
}  // namespace weft
