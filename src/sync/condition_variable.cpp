#include <weft/condition_variable.hpp>

#include <memory>
#include <weft/detail/at_exit.hpp>

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
using detail::thread_header;

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
  mutex_core& mutex = owned(lock, me, "waits");
  return core_of<condition_core>(state_).wait(mutex, me, deadline);
}
mutex_core& condition_variable::owned(const std::unique_lock<mutex>& lock, std::uintptr_t caller,
                                      const char* does) const {
  mutex_core* const its = lock.mutex() ? &core_of<mutex_core>(lock.mutex()->state_) : nullptr;
  // In a forked child the fiber that has locked it goes on as a plain thread.
  if (!lock.owns_lock() || (!its->is_owned_by(caller) && !detail::has_forked())) {
    detail::fatal("weft::condition_variable at %p: %s %s without owning the lock",
                  static_cast<const void*>(this), detail::owner_name(caller).text, does);
  }
  return *its;
}

namespace {
// Notified before the mutex is unlocked, not as std words it: whoever may lock it then may destroy
// both, and the others need the mutex anyway.
struct notification : detail::exit_action {
  notification(condition_variable& of, mutex& locked) noexcept
      : exit_action{carry_out}, condition(of), held(locked) {}
  static void carry_out(exit_action* of) noexcept {
    const std::unique_ptr<notification> me(static_cast<notification*>(of));
    me->condition.notify_all();
    me->held.unlock();
  }
  condition_variable& condition;
  mutex& held;
};
}  // namespace

void notify_all_at_thread_exit(condition_variable& condition, std::unique_lock<mutex> lock) {
  mutex_core& locked = condition.owned(lock, detail::self(), "asks for a notification at its end");
  auto made = std::make_unique<notification>(condition, *lock.mutex());
  detail::prepare_exit();
  lock.release();
  // Inside blocking() the thread has locked it, but the end is the fiber's.
  const thread_header* const header = detail::current();
  if (!header->fiber && header->lent)
    locked.pass_to(reinterpret_cast<detail::owner_id>(header->lent));
  detail::at_exit(*made.release());
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
