#pragma once
#include <chrono>
#include <shared_mutex>
#include <weft/detail/sync_storage.hpp>
#include <weft/detail/time.hpp>

namespace weft {
/// std::shared_mutex [thread.sharedmutex.class] for fibers and kernel threads, mixed. 32 bytes, no
/// allocation; constinit-able. std::shared_lock, std::unique_lock work on it.
///
/// Served in order: once somebody waits, everybody who comes queues behind him. So a writer waits
/// for those inside and those before it, never for readers that come later, and readers wait for
/// one writer at most for each that came before them. Hence a fiber that holds it shared and locks
/// it shared again may wait for ever, behind a writer that waits for it; std has that undefined.
///
/// Not a cancellation point. Misuse (unlocking what is not held so, destroying what is held or has
/// waiters) ends the process with a line; a writer that locks again gets an exception.
/// @code
/// constinit weft::shared_mutex guard;
/// std::shared_lock reading(guard);
/// @endcode
class shared_mutex {
 public:
  constexpr shared_mutex() noexcept = default;
  shared_mutex(const shared_mutex&) = delete;
  shared_mutex& operator=(const shared_mutex&) = delete;
  /// Nobody may hold it or wait for it.
  ~shared_mutex();

  /// Waits until the caller is the only one inside.
  /// @throws std::system_error resource_deadlock_would_occur: it is already; on a kernel thread's
  /// first wait also when memory or thread-specific keys have run out.
  void lock();
  /// False: somebody is inside, or waits. Never waits.
  bool try_lock() noexcept;
  /// By the writer only.
  void unlock() noexcept;

  /// Waits until the caller is inside, beside other readers.
  /// @throws std::system_error as lock().
  void lock_shared();
  /// False: a writer is inside, or somebody waits. Never waits.
  bool try_lock_shared() noexcept;
  /// By one of those inside.
  void unlock_shared() noexcept;

 private:
  detail::sync_storage<4> state_;
};

/// std::shared_timed_mutex [thread.sharedtimedmutex.class]: a shared_mutex with limits. Zero and
/// negative durations and times that have passed try once. Who gives up does not hold up those
/// behind it.
/// @code
/// weft::shared_timed_mutex guard;
/// if (guard.try_lock_shared_for(5ms)) guard.unlock_shared();
/// @endcode
class shared_timed_mutex {
 public:
  constexpr shared_timed_mutex() noexcept = default;
  shared_timed_mutex(const shared_timed_mutex&) = delete;
  shared_timed_mutex& operator=(const shared_timed_mutex&) = delete;
  /// As shared_mutex::~shared_mutex.
  ~shared_timed_mutex();

  /// As shared_mutex::lock.
  void lock();
  /// As shared_mutex::try_lock.
  bool try_lock() noexcept;
  /// Waits no longer than that. False: the caller is not inside.
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
  /// As shared_mutex::unlock.
  void unlock() noexcept;

  /// As shared_mutex::lock_shared.
  void lock_shared();
  /// As shared_mutex::try_lock_shared.
  bool try_lock_shared() noexcept;
  /// As try_lock_for, beside other readers.
  template <class R, class P>
  bool try_lock_shared_for(const std::chrono::duration<R, P>& limit) {
    return lock_shared_until(detail::deadline_after(limit));
  }
  /// As try_lock_until, beside other readers.
  template <class C, class D>
  bool try_lock_shared_until(const std::chrono::time_point<C, D>& time) {
    return detail::wait_until(time, [this](std::int64_t at) { return lock_shared_until(at); });
  }
  /// As shared_mutex::unlock_shared.
  void unlock_shared() noexcept;

 private:
  bool lock_until(std::int64_t deadline);
  bool lock_shared_until(std::int64_t deadline);
  detail::sync_storage<4> state_;
};
}  // namespace weft
