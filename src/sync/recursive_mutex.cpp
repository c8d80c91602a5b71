#include <weft/recursive_mutex.hpp>

#include "sync/core_of.hpp"
#include "sync/points.hpp"
#include "sync/recursive_core.hpp"

namespace weft {
namespace {
using detail::core_of;
using detail::lock_point;
using detail::recursive_core;
using detail::self_of;

constexpr const char* recursive_name = "weft::recursive_mutex";
constexpr const char* recursive_timed_name = "weft::recursive_timed_mutex";
}  // namespace

recursive_mutex::~recursive_mutex() {
  core_of<recursive_core>(state_).end(recursive_name);
}
void recursive_mutex::lock() {
  core_of<recursive_core>(state_).lock(self_of(lock_point()), recursive_name);
}
bool recursive_mutex::try_lock() noexcept {
  return core_of<recursive_core>(state_).try_lock(self_of(lock_point()));
}
void recursive_mutex::unlock() noexcept {
  core_of<recursive_core>(state_).unlock(self_of(lock_point()), recursive_name);
}

recursive_timed_mutex::~recursive_timed_mutex() {
  core_of<recursive_core>(state_).end(recursive_timed_name);
}
void recursive_timed_mutex::lock() {
  core_of<recursive_core>(state_).lock(self_of(lock_point()), recursive_timed_name);
}
bool recursive_timed_mutex::try_lock() noexcept {
  return core_of<recursive_core>(state_).try_lock(self_of(lock_point()));
}
bool recursive_timed_mutex::lock_until(std::int64_t deadline) {
  return core_of<recursive_core>(state_).lock_until(self_of(lock_point()), recursive_timed_name,
                                                    deadline);
}
void recursive_timed_mutex::unlock() noexcept {
  core_of<recursive_core>(state_).unlock(self_of(lock_point()), recursive_timed_name);
}
}  // namespace weft
