#pragma once
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>

#include "base/clock.hpp"

namespace weft::detail {
// The system calls that the arena makes, as a seam: tests refuse the nth one, pretend to be an
// older kernel, and set the clock. Results and errno as in the calls of the same name.
struct platform {
  // Anonymous, private, readable and writable, not reserved. `hint` may be null.
  void* (*map)(void* hint, std::size_t bytes) noexcept;
  int (*unmap)(void* at, std::size_t bytes) noexcept;
  int (*advise)(void* at, std::size_t bytes, int advice) noexcept;
  // The same advice for several ranges of this process; bytes done, or -1.
  ssize_t (*advise_ranges)(const iovec* ranges, std::size_t n, int advice) noexcept;
  int (*protect_none)(void* at, std::size_t bytes) noexcept;
  nanos (*now)() noexcept;  // when idle memory is due
  // /proc/sys/vm/NAME, or `otherwise` where it cannot be read.
  long (*vm_setting)(const char* name, long otherwise) noexcept;
  std::size_t (*page_bytes)() noexcept;
};

extern const platform real_platform;

// Linux's numbers; Debian 12's headers are older than the calls.
inline constexpr int advice_guard_install = 102;   // MADV_GUARD_INSTALL, Linux 6.13
inline constexpr int pidfd_self_process = -10001;  // PIDFD_SELF_THREAD_GROUP, Linux 6.14
}  // namespace weft::detail
