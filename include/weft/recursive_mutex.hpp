#pragma once
#include <chrono>
#include <weft/detail/sync_storage.hpp>
#include <weft/detail/time.hpp>

namespace weft {
/// std::recursive_mutex [thread.mutex.recursive]: a weft::mutex that its owner may lock again, up
/// to 2^32 times; it is free when it has been unlocked as often. 32 bytes, no allocation. The owner
/// is the fiber: a call inside blocking() is the kernel thread's, and waits for the fiber that it
/// holds up.
/// @code
/// weft::recursive_mutex guard;
/// std::lock_guard outer(guard), inner(guard);
/// @endcode
class recursive_mutex {
 public:
  constexpr recursive_mutex() noexcept = default;
  recursive_mutex(const recursive_mutex&) = delete;
  recursive_mutex& operator=(const recursive_mutex&) = delete;
  /// As mutex::~mutex.
  ~recursive_mutex();

  /// Waits until the caller owns the mutex; at once if it does already. Not a cancellation point.
  /// @throws std::system_error resource_unavailable_try_again: locked 2^32 times; else as
  /// mutex::lock
  void lock();
  /// False: somebody else owns it, or it was locked 2^32 times. Never waits.
  bool try_lock() noexcept;
  /// By the owner only; anybody else's call aborts with a line that names both.
  void unlock() noexcept;

 private:
  detail::sync_storage<4> state_;
};

/// std::recursive_timed_mutex [thread.timedmutex.recursive]: a recursive_mutex with limits, as
/// timed_mutex has them.
/// @code
/// weft::recursive_timed_mutex guard;
/// if (guard.try_lock_for(5ms)) guard.unlock();
/// @endcode
class recursive_timed_mutex {
 public:
  constexpr recursive_timed_mutex() noexcept = default;
  recursive_timed_mutex(const recursive_timed_mutex&) = delete;
  recursive_timed_mutex& operator=(const recursive_timed_mutex&) = delete;
  /// As mutex::~mutex.
  ~recursive_timed_mutex();

  /// As recursive_mutex::lock.
  void lock();
  /// As recursive_mutex::try_lock.
  bool try_lock() noexcept;
  /// Waits no longer than that. False: it did not become the caller's.
  /// @throws std::bad_alloc when there is no memory for a timer; std::system_error as lock().
  template <class R, class P>
  bool try_lock_for(const std::chrono::duration<R, P>& limit) {
    return lock_until(detail::deadline_after(limit));
  }
  /// The same until that time. Clocks of the world are looked at again after the wait.
  template <class C, class D>
  bool try_lock_until(const std::chrono::time_point<C, D>& time) {
    return detail::wait_until(time, [this](std::int64_t deadline) { return lock_until(deadline); });
  }
  /// As recursive_mutex::unlock.
  void unlock() noexcept;

 private:
  bool lock_until(std::int64_t deadline);
  detail::sync_storage<4> state_;
};
}  // namespace weft
