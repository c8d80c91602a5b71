#pragma once
#include <chrono>
#include <mutex>
#include <weft/detail/sync_storage.hpp>
#include <weft/detail/time.hpp>
#include <weft/once.hpp>
#include <weft/recursive_mutex.hpp>

namespace weft {
/// std::mutex [thread.mutex.class] for fibers and kernel threads, mixed: a fiber that has to wait
/// parks, a thread sleeps. Works without any runtime, and from fibers of several. 24 bytes, no
/// allocation; constinit-able. std::unique_lock, std::lock_guard and std::scoped_lock work on it.
///
/// Whoever finds it taken looks again for some 2 us, unless its owner has parked or the runtime has
/// one worker. Waiters queue in order. Whoever comes while the mutex is free takes it before one
/// that has just been woken (a hand-over would cost a switch for each acquisition), but the same
/// waiter is passed over four times at most; then the mutex is handed to it. Not a cancellation
/// point, and no deadline_scope ends the wait.
///
/// The owner is the fiber, not the kernel thread that it happens to be on: a lock may be held
/// across parks. What std calls undefined is caught: locking twice throws, unlocking what one does
/// not own, and destroying one that has waiters, end the process with a line that names both.
/// @code
/// constinit weft::mutex guard;
/// std::lock_guard lock(guard);
/// @endcode
class mutex {
 public:
  constexpr mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;
  /// Nobody may hold it or wait for it. Whoever has locked it last may destroy it as soon as it has
  /// unlocked it, even if others have not yet returned from unlock().
  ~mutex();

  /// Waits until the caller owns the mutex. O(1).
  /// @throws std::system_error resource_deadlock_would_occur: the caller owns it already; on a
  /// kernel thread's first wait also when memory or thread-specific keys have run out.
  void lock() {
    if (!detail::own_word(state_.words)) [[unlikely]]
      lock_slow();
  }
  /// False: somebody owns it, perhaps the caller. Never waits.
  bool try_lock() noexcept { return detail::own_word(state_.words) || try_lock_slow(); }
  /// By the owner only; anybody else's call aborts with a line that names both.
  void unlock() noexcept {
    if (!detail::disown_word(state_.words)) [[unlikely]]
      unlock_slow();
  }

 private:
  friend class condition_variable;
  void lock_slow();
  bool try_lock_slow() noexcept;
  void unlock_slow() noexcept;
  detail::sync_storage<3> state_;
};

/// std::timed_mutex [thread.timedmutex.class]: a mutex with limits. Zero and negative durations and
/// times that have passed try once.
/// @code
/// weft::timed_mutex guard;
/// if (guard.try_lock_for(5ms)) guard.unlock();
/// @endcode
class timed_mutex {
 public:
  constexpr timed_mutex() noexcept = default;
  timed_mutex(const timed_mutex&) = delete;
  timed_mutex& operator=(const timed_mutex&) = delete;
  /// As mutex::~mutex.
  ~timed_mutex();

  /// As mutex::lock.
  void lock() {
    if (!detail::own_word(state_.words)) [[unlikely]]
      lock_slow();
  }
  /// As mutex::try_lock.
  bool try_lock() noexcept { return detail::own_word(state_.words) || try_lock_slow(); }
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
  /// As mutex::unlock.
  void unlock() noexcept {
    if (!detail::disown_word(state_.words)) [[unlikely]]
      unlock_slow();
  }

 private:
  void lock_slow();
  bool try_lock_slow() noexcept;
  void unlock_slow() noexcept;
  bool lock_until(std::int64_t deadline);
  detail::sync_storage<3> state_;
};
}  // namespace weft
