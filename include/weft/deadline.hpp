#pragma once
#include <chrono>
#include <cstdint>
#include <system_error>
#include <weft/detail/time.hpp>

namespace weft {
/// Thrown by a cancellation point when a deadline_scope around it has expired. Its code is
/// std::errc::timed_out.
class deadline_exceeded : public std::system_error {
 public:
  deadline_exceeded();
};

/// Gives every cancellation point inside it, in this fiber, a deadline. Scopes nest: the earliest
/// holds. While an exception unwinds the fiber, only those count that were made since it was
/// thrown: the waits of destructors run their course. What expires throws deadline_exceeded;
/// POSIX-named calls return -1 with ETIMEDOUT. Works on kernel threads too. Must be destroyed by
/// the fiber that made it, innermost first, as locals are.
/// @code
/// weft::deadline_scope limit(10s);
/// auto n = peer.read_some(buffer);   // throws deadline_exceeded if nothing comes for 10 s
/// @endcode
class deadline_scope {
 public:
  /// From now on; zero and negative durations have expired already, huge ones never do.
  template <class R, class P>
  explicit deadline_scope(const std::chrono::duration<R, P>& from_now)
      : deadline_scope(detail::deadline_after(from_now)) {}
  /// At a time of any clock, translated to the monotonic clock now.
  template <class C, class D>
  explicit deadline_scope(const std::chrono::time_point<C, D>& at)
      : deadline_scope(detail::deadline_at(at)) {}
  ~deadline_scope();
  deadline_scope(const deadline_scope&) = delete;
  deadline_scope& operator=(const deadline_scope&) = delete;

 private:
  explicit deadline_scope(std::int64_t deadline);
  std::int64_t outer_;
  std::uint8_t outer_level_;
};
}  // namespace weft
