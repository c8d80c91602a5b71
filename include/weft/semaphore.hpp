#pragma once
#include <chrono>
#include <cstddef>
#include <limits>
#include <weft/detail/sync_storage.hpp>
#include <weft/detail/time.hpp>

namespace weft {
namespace detail {
class semaphore_base {
 public:
  void acquire();
  bool try_acquire() noexcept;
  bool acquire_until(std::int64_t deadline);
  void release(std::ptrdiff_t update, std::ptrdiff_t most) noexcept;

 protected:
  constexpr semaphore_base(std::ptrdiff_t desired, std::ptrdiff_t most) noexcept
      : state_(static_cast<std::uint64_t>(desired) << 1) {
    if (desired < 0 || desired > most) refuse(desired, most);
  }
  ~semaphore_base();

 private:
  [[noreturn]] static void refuse(std::ptrdiff_t desired, std::ptrdiff_t most) noexcept;
  sync_storage<3> state_;
};
}  // namespace detail

/// std::counting_semaphore [thread.sema] for fibers and kernel threads, mixed. 24 bytes, no
/// allocation; constinit-able. Served in order: a released unit goes to who has waited longest.
/// acquire and its timed forms are cancellation points; a cancelled one has taken nothing.
///
/// A waiter that has acquired may destroy the semaphore even if release() has not returned.
/// @code
/// weft::counting_semaphore<> places(100);
/// places.acquire();
/// places.release();
/// @endcode
template <std::ptrdiff_t LeastMax = std::numeric_limits<std::ptrdiff_t>::max() / 2>
class counting_semaphore : private detail::semaphore_base {
  static_assert(LeastMax >= 0 && LeastMax <= std::numeric_limits<std::ptrdiff_t>::max() / 2,
                "weft::counting_semaphore: the maximum is a count of at most PTRDIFF_MAX / 2");

 public:
  /// The greatest count.
  static constexpr std::ptrdiff_t max() noexcept { return LeastMax; }
  /// Aborts with a line when `desired` is not from 0 to max().
  constexpr explicit counting_semaphore(std::ptrdiff_t desired) noexcept
      : semaphore_base(desired, LeastMax) {}
  /// Nobody may wait for it.
  ~counting_semaphore() = default;
  counting_semaphore(const counting_semaphore&) = delete;
  counting_semaphore& operator=(const counting_semaphore&) = delete;

  /// Adds to the count, or serves waiters, `update` units. Aborts with a line when `update` is
  /// negative or the count would exceed max(). O(waiters served). From any context; never parks.
  void release(std::ptrdiff_t update = 1) noexcept { semaphore_base::release(update, LeastMax); }
  /// Takes a unit, waiting for one. A cancellation point.
  /// @throws operation_canceled, deadline_exceeded, as every cancellation point
  void acquire() { semaphore_base::acquire(); }
  /// Takes a unit if there is one. Never waits; fails only when there is none.
  bool try_acquire() noexcept { return semaphore_base::try_acquire(); }
  /// Waits no longer than that. A cancellation point. False: nothing was taken.
  template <class R, class P>
  bool try_acquire_for(const std::chrono::duration<R, P>& limit) {
    return acquire_until(detail::deadline_after(limit));
  }
  /// The same until that time.
  template <class C, class D>
  bool try_acquire_until(const std::chrono::time_point<C, D>& time) {
    return detail::wait_until(time, [this](std::int64_t at) { return acquire_until(at); });
  }
};

/// One unit at most.
using binary_semaphore = counting_semaphore<1>;
}  // namespace weft
