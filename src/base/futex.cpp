#include "base/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/errno.hpp"
#include "base/syscount.hpp"
#include "chaos.hpp"

namespace weft::detail {
bool futex_wait(const void* word, std::uint32_t expected, nanos deadline) noexcept {
  if (chaos::strikes(chaos::point::wake)) return true;
  const timespec at = to_timespec(deadline);
  const int before = errno;  // a wait is no failed call of the user's
  count_syscall(sys::futex_wait);
  // FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time; FUTEX_WAIT would take a relative one.
  const long result = ::syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
                                deadline == never ? nullptr : &at, nullptr, FUTEX_BITSET_MATCH_ANY);
  const bool timed_out = result != 0 && errno == ETIMEDOUT;
  errno = before;
  return !timed_out;
}

void futex_wake(const void* word, int count) noexcept {
  count_syscall(sys::futex_wake);
  ::syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, nullptr, nullptr, 0);
}
}  // namespace weft::detail
