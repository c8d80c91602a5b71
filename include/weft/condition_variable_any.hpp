#pragma once
#include <chrono>
#include <condition_variable>
#include <stop_token>
#include <utility>
#include <weft/detail/sync_storage.hpp>
#include <weft/detail/time.hpp>

namespace weft {
namespace detail {
// One wait of a condition_variable_any: in its queue from the beginning on.
class condition_frame {
 public:
  explicit condition_frame(sync_storage<2>& queue) noexcept;
  ~condition_frame();
  condition_frame(const condition_frame&) = delete;
  condition_frame& operator=(const condition_frame&) = delete;

  // Once. False: the deadline passed before a notification. May throw std::bad_alloc.
  bool park(std::int64_t deadline);
  void notify() noexcept;

 private:
  sync_storage<6> state_;
};
}  // namespace detail

/// std::condition_variable_any [thread.condition.condvarany] for fibers and kernel threads, mixed,
/// with any lock. 16 bytes, no allocation; constinit-able. No wake is spurious, but write the loop
/// all the same, or give the predicate.
///
/// A lock of std, such as std::mutex, holds up the kernel thread of a fiber that waits for it.
///
/// Not a cancellation point. The forms with a std::stop_token end when a stop is requested, and
/// return what the predicate says then; the token may be this_fiber::get_stop_token().
///
/// It may be destroyed once all waiters have been notified, even if they have not returned yet.
/// @code
/// std::unique_lock lock(guard);
/// if (!ready.wait(lock, this_fiber::get_stop_token(), [&] { return !queue.empty(); })) return;
/// @endcode
class condition_variable_any {
 public:
  constexpr condition_variable_any() noexcept = default;
  condition_variable_any(const condition_variable_any&) = delete;
  condition_variable_any& operator=(const condition_variable_any&) = delete;
  /// Nobody may wait for it who has not been notified.
  ~condition_variable_any();

  /// Wakes who has waited longest, if anybody waits. Never parks.
  void notify_one() noexcept;
  /// Wakes all who wait now. O(waiters). Never parks.
  void notify_all() noexcept;

  /// Releases the lock and waits in one step; owns the lock again when it returns. What lock.lock()
  /// throws then ends the program.
  /// @throws what lock.unlock() throws; std::system_error as mutex::lock
  template <class Lock>
  void wait(Lock& lock) {
    wait_until(lock, detail::no_deadline);
  }
  /// Waits until `predicate()` is true; it is called with the lock held.
  template <class Lock, class Predicate>
  void wait(Lock& lock, Predicate predicate) {
    while (!predicate()) wait(lock);
  }
  /// Waits no longer than that, plus the time to lock again.
  /// @throws std::bad_alloc when there is no memory for a timer; the lock is held then
  template <class Lock, class R, class P>
  std::cv_status wait_for(Lock& lock, const std::chrono::duration<R, P>& limit) {
    return status(wait_until(lock, detail::deadline_after(limit)));
  }
  /// The same, until `predicate()` is true. Returns what it says at the end.
  template <class Lock, class R, class P, class Predicate>
  bool wait_for(Lock& lock, const std::chrono::duration<R, P>& limit, Predicate predicate) {
    const std::int64_t deadline = detail::deadline_after(limit);
    while (!predicate())
      if (!wait_until(lock, deadline)) return predicate();
    return true;
  }
  /// Waits until that time at the latest.
  template <class Lock, class C, class D>
  std::cv_status wait_until(Lock& lock, const std::chrono::time_point<C, D>& time) {
    return status(detail::wait_until(time, [&](std::int64_t at) { return wait_until(lock, at); }));
  }
  /// The same, until `predicate()` is true. Returns what it says at the end.
  template <class Lock, class C, class D, class Predicate>
  bool wait_until(Lock& lock, const std::chrono::time_point<C, D>& time, Predicate predicate) {
    while (!predicate())
      if (wait_until(lock, time) == std::cv_status::timeout) return predicate();
    return true;
  }

  /// Waits until `predicate()` is true or a stop is requested. Returns what the predicate says at
  /// the end.
  template <class Lock, class Predicate>
  bool wait(Lock& lock, std::stop_token stop, Predicate predicate) {
    while (!stop.stop_requested()) {
      if (predicate()) return true;
      wait_until(lock, stop, detail::no_deadline);
    }
    return predicate();
  }
  /// The same, no longer than that.
  template <class Lock, class R, class P, class Predicate>
  bool wait_for(Lock& lock, std::stop_token stop, const std::chrono::duration<R, P>& limit,
                Predicate predicate) {
    const std::int64_t deadline = detail::deadline_after(limit);
    while (!stop.stop_requested()) {
      if (predicate()) return true;
      if (!wait_until(lock, stop, deadline)) break;
    }
    return predicate();
  }
  /// The same until that time.
  template <class Lock, class C, class D, class Predicate>
  bool wait_until(Lock& lock, std::stop_token stop, const std::chrono::time_point<C, D>& time,
                  Predicate predicate) {
    const auto once = [&](std::int64_t at) { return wait_until(lock, stop, at); };
    while (!stop.stop_requested()) {
      if (predicate()) return true;
      if (!detail::wait_until(time, once)) break;
    }
    return predicate();
  }

 private:
  template <class Lock>
  struct released {
    Lock& lock;
    explicit released(Lock& held) : lock(held) { lock.unlock(); }
    ~released() { lock.lock(); }
    released(const released&) = delete;
    released& operator=(const released&) = delete;
  };

  template <class Lock>
  bool wait_until(Lock& lock, std::int64_t deadline) {
    detail::condition_frame frame(state_);
    const released<Lock> meanwhile(lock);
    return frame.park(deadline);
  }
  // True for a stop, too. The callback is made when the waiter is queued: a stop that came before
  // calls it here, and one that comes later finds the waiter.
  template <class Lock>
  bool wait_until(Lock& lock, const std::stop_token& stop, std::int64_t deadline) {
    detail::condition_frame frame(state_);
    const released<Lock> meanwhile(lock);
    const std::stop_callback stopped(stop, [&frame]() noexcept { frame.notify(); });
    return frame.park(deadline);
  }
  static std::cv_status status(bool woken) noexcept {
    return woken ? std::cv_status::no_timeout : std::cv_status::timeout;
  }
  detail::sync_storage<2> state_;
};
}  // namespace weft
