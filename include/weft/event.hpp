#pragma once
#include <chrono>
#include <weft/detail/sync_storage.hpp>
#include <weft/detail/time.hpp>

namespace weft {
namespace detail {
class queued_coroutine;
}

/// A flag that fibers and kernel threads, mixed, may wait for: set() lets all through, those who
/// wait and those who come, until reset(). What happened before set() happens before a wait that it
/// ends. 24 bytes, no allocation; constinit-able. The waits are cancellation points.
///
/// Who has been let through may destroy the event even if set() has not returned yet.
/// @code
/// weft::event ready;
/// weft::fiber worker([&] { prepare(); ready.set(); });
/// ready.wait();
/// @endcode
class event {
 public:
  /// Not set.
  constexpr event() noexcept = default;
  event(const event&) = delete;
  event& operator=(const event&) = delete;
  /// Nobody may wait for it.
  ~event();

  /// Sets it and wakes all who wait. O(waiters). From any context; never parks.
  void set() noexcept;
  /// From now on it is waited for again. Those whom set() has woken go on.
  void reset() noexcept;
  /// Whether it is set.
  bool is_set() const noexcept;
  /// Waits until it is set. A cancellation point.
  /// @throws operation_canceled, deadline_exceeded, as every cancellation point
  void wait() const { wait_until(detail::no_deadline); }
  /// Waits no longer than that. A cancellation point. False: it was not set.
  /// @throws std::bad_alloc when there is no memory for a timer; else as wait().
  template <class R, class P>
  bool wait_for(const std::chrono::duration<R, P>& limit) const {
    return wait_until(detail::deadline_after(limit));
  }
  /// The same until that time. Clocks of the world are looked at again after the wait.
  template <class C, class D>
  bool wait_until(const std::chrono::time_point<C, D>& time) const {
    return detail::wait_until(time, [this](std::int64_t at) { return wait_until(at); });
  }

 private:
  bool wait_until(std::int64_t deadline) const;
  friend class detail::queued_coroutine;
  mutable detail::sync_storage<3> state_;
};
}  // namespace weft
