#include <weft/mutex.hpp>

#include "sync/core_of.hpp"
#include "sync/mutex_core.hpp"
#include "sync/points.hpp"

namespace weft {
namespace {
using detail::core_of;
using detail::lock_point;
using detail::mutex_core;
using detail::self_of;

constexpr const char* plain_name = "weft::mutex";
constexpr const char* timed_name = "weft::timed_mutex";

}  // namespace

mutex::~mutex() {
  core_of<mutex_core>(state_).end(plain_name);
}
void mutex::lock_slow() {
  core_of<mutex_core>(state_).lock(self_of(lock_point()), plain_name);
}
bool mutex::try_lock_slow() noexcept {
  return core_of<mutex_core>(state_).try_lock(self_of(lock_point()));
}
void mutex::unlock_slow() noexcept {
  core_of<mutex_core>(state_).unlock(self_of(lock_point()), plain_name);
}

timed_mutex::~timed_mutex() {
  core_of<mutex_core>(state_).end(timed_name);
}
void timed_mutex::lock_slow() {
  core_of<mutex_core>(state_).lock(self_of(lock_point()), timed_name);
}
bool timed_mutex::try_lock_slow() noexcept {
  return core_of<mutex_core>(state_).try_lock(self_of(lock_point()));
}
bool timed_mutex::lock_until(std::int64_t deadline) {
  return core_of<mutex_core>(state_).lock_until(self_of(lock_point()), timed_name, deadline);
}
void timed_mutex::unlock_slow() noexcept {
  core_of<mutex_core>(state_).unlock(self_of(lock_point()), timed_name);
}
}  // namespace weft
