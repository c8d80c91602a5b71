#pragma once
#include <cerrno>
#include <limits>

#include "base/fatal.hpp"
#include "sync/mutex_core.hpp"

namespace weft::detail {
// A mutex, and how often its owner has locked it beyond the first time. The depth is the owner's.
class recursive_core {
 public:
  bool try_lock(owner_id me) noexcept {
    return mutex_.is_owned_by(me) ? again() : mutex_.try_lock(me);
  }
  void lock(owner_id me, const char* what) { lock_until(me, what, never); }
  bool lock_until(owner_id me, const char* what, nanos deadline) {
    if (!mutex_.is_owned_by(me)) return mutex_.lock_until(me, what, deadline);
    if (again()) return true;
    throw_system(EAGAIN, "%s at %p: locked %llu times by its owner, and no more can be counted",
                 what, static_cast<const void*>(this), static_cast<unsigned long long>(most) + 1);
  }
  void unlock(owner_id me, const char* what) noexcept {
    if (depth_ > 0 && mutex_.is_owned_by(me)) {
      --depth_;
    } else {
      mutex_.unlock(me, what);
    }
  }
  void end(const char* what) noexcept { mutex_.end(what); }

 private:
  static constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();

  bool again() noexcept {
    if (depth_ == most) return false;
    ++depth_;
    return true;
  }

  mutex_core mutex_;
  std::uint64_t depth_ = 0;
};
}  // namespace weft::detail
