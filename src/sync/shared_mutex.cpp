#include <weft/shared_mutex.hpp>

#include "sync/core_of.hpp"
#include "sync/points.hpp"
#include "sync/shared_core.hpp"

namespace weft {
namespace {
using detail::core_of;
using detail::lock_point;
using detail::never;
using detail::self_of;
using detail::shared_core;

constexpr const char* shared_name = "weft::shared_mutex";
constexpr const char* shared_timed_name = "weft::shared_timed_mutex";
}  // namespace

shared_mutex::~shared_mutex() {
  core_of<shared_core>(state_).end(shared_name);
}
void shared_mutex::lock() {
  core_of<shared_core>(state_).lock_until(self_of(lock_point()), shared_name, never);
}
bool shared_mutex::try_lock() noexcept {
  return core_of<shared_core>(state_).try_lock(self_of(lock_point()));
}
void shared_mutex::unlock() noexcept {
  core_of<shared_core>(state_).unlock(self_of(lock_point()), shared_name);
}
void shared_mutex::lock_shared() {
  core_of<shared_core>(state_).lock_shared_until(self_of(lock_point()), shared_name, never);
}
bool shared_mutex::try_lock_shared() noexcept {
  lock_point();
  return core_of<shared_core>(state_).try_lock_shared();
}
void shared_mutex::unlock_shared() noexcept {
  lock_point();
  core_of<shared_core>(state_).unlock_shared(shared_name);
}

shared_timed_mutex::~shared_timed_mutex() {
  core_of<shared_core>(state_).end(shared_timed_name);
}
void shared_timed_mutex::lock() {
  lock_until(never);
}
bool shared_timed_mutex::try_lock() noexcept {
  return core_of<shared_core>(state_).try_lock(self_of(lock_point()));
}
bool shared_timed_mutex::lock_until(std::int64_t deadline) {
  return core_of<shared_core>(state_).lock_until(self_of(lock_point()), shared_timed_name,
                                                 deadline);
}
void shared_timed_mutex::unlock() noexcept {
  core_of<shared_core>(state_).unlock(self_of(lock_point()), shared_timed_name);
}
void shared_timed_mutex::lock_shared() {
  lock_shared_until(never);
}
bool shared_timed_mutex::try_lock_shared() noexcept {
  lock_point();
  return core_of<shared_core>(state_).try_lock_shared();
}
bool shared_timed_mutex::lock_shared_until(std::int64_t deadline) {
  return core_of<shared_core>(state_).lock_shared_until(self_of(lock_point()), shared_timed_name,
                                                        deadline);
}
void shared_timed_mutex::unlock_shared() noexcept {
  lock_point();
  core_of<shared_core>(state_).unlock_shared(shared_timed_name);
}
}  // namespace weft
