#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <weft/condition_variable_any.hpp>
#include <weft/detail/sync_storage.hpp>
#include <weft/detail/time.hpp>
#include <weft/mutex.hpp>

namespace weft {
namespace detail {
class mutex_core;
}

/// std::condition_variable [thread.condition.condvar] for fibers and kernel threads, mixed, with
/// weft::mutex. 16 bytes, no allocation. No wake is spurious, but write the loop all the same, or
/// give the predicate. Not a cancellation point, as std's is not: use condition_variable_any with
/// a stop token for that.
///
/// It may be destroyed once all waiters have been notified, even if they have not returned yet.
/// @code
/// std::unique_lock lock(guard);
/// ready.wait(lock, [&] { return !queue.empty(); });
/// @endcode
class condition_variable {
 public:
  constexpr condition_variable() noexcept = default;
  condition_variable(const condition_variable&) = delete;
  condition_variable& operator=(const condition_variable&) = delete;
  /// Nobody may wait for it who has not been notified.
  ~condition_variable();

  /// Wakes who has waited longest, if anybody waits. Never parks.
  void notify_one() noexcept;
  /// Wakes all who wait now. O(waiters). Never parks.
  void notify_all() noexcept;

  /// Releases the lock and waits in one step; owns the lock again when it returns.
  /// @throws std::system_error as mutex::lock
  void wait(std::unique_lock<mutex>& lock) { wait_until(lock, detail::no_deadline); }
  /// Waits until `predicate()` is true; it is called with the lock held.
  template <class Predicate>
  void wait(std::unique_lock<mutex>& lock, Predicate predicate) {
    while (!predicate()) wait(lock);
  }
  /// Waits no longer than that, plus the time to lock again.
  /// @throws std::bad_alloc when there is no memory for a timer; the lock is held then
  template <class R, class P>
  std::cv_status wait_for(std::unique_lock<mutex>& lock, const std::chrono::duration<R, P>& limit) {
    return status(wait_until(lock, detail::deadline_after(limit)));
  }
  /// The same, until `predicate()` is true. Returns what it says at the end.
  template <class R, class P, class Predicate>
  bool wait_for(std::unique_lock<mutex>& lock, const std::chrono::duration<R, P>& limit,
                Predicate predicate) {
    const std::int64_t deadline = detail::deadline_after(limit);
    while (!predicate())
      if (!wait_until(lock, deadline)) return predicate();
    return true;
  }
  /// Waits until that time at the latest.
  template <class C, class D>
  std::cv_status wait_until(std::unique_lock<mutex>& lock,
                            const std::chrono::time_point<C, D>& time) {
    return status(detail::wait_until(time, [&](std::int64_t at) { return wait_until(lock, at); }));
  }
  /// The same, until `predicate()` is true. Returns what it says at the end.
  template <class C, class D, class Predicate>
  bool wait_until(std::unique_lock<mutex>& lock, const std::chrono::time_point<C, D>& time,
                  Predicate predicate) {
    while (!predicate())
      if (wait_until(lock, time) == std::cv_status::timeout) return predicate();
    return true;
  }

 private:
  bool wait_until(std::unique_lock<mutex>& lock, std::int64_t deadline);
  static std::cv_status status(bool woken) noexcept {
    return woken ? std::cv_status::no_timeout : std::cv_status::timeout;
  }
  friend void notify_all_at_thread_exit(condition_variable&, std::unique_lock<mutex>);
  // The lock's mutex, which the caller owns; otherwise the end of the process.
  detail::mutex_core& owned(const std::unique_lock<mutex>& lock, std::uintptr_t caller,
                            const char* does) const;
  detail::sync_storage<2> state_;
};

/// std::notify_all_at_thread_exit [thread.condition.nonmember]: takes over the lock, and when the
/// running fiber or kernel thread has ended, its locals included, unlocks it and wakes all who wait
/// for the condition. Both must live until then; who sees, with the lock held, what it waited for,
/// may destroy them. Ends the process with a line when the caller does not own the lock.
/// @throws std::bad_alloc, std::system_error: the lock is released, and nobody will be woken
/// @code
/// std::unique_lock lock(guard);
/// gone = true;
/// weft::notify_all_at_thread_exit(all_gone, std::move(lock));
/// @endcode
void notify_all_at_thread_exit(condition_variable& condition, std::unique_lock<mutex> lock);
}  // namespace weft
