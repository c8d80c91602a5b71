#pragma once
#include <sys/mman.h>

#include <cerrno>

#include "stack/platform.hpp"

// The real calls, except that the test decides which of them are refused, and what the kernel
// supports, and what time it is. One at a time: the counters are global because a platform is plain
// functions.
namespace fake {
struct state {
  int refuse_map = 0;  // the nth call from now fails; 0: none
  int refuse_advise = 0;
  int refuse_protect = 0;
  int error = ENOMEM;
  bool refuse_for_good = false;      // and every one after it
  bool guard_advice = true;          // false: the kernel knows no MADV_GUARD_INSTALL
  bool ignore_guard_advice = false;  // 0 with no effect, as an emulator may do
  bool ignore_protect = false;
  bool vectored = true;
  long map_count = 65530;
  std::size_t page_bytes = 4096;
  int maps = 0;  // calls made
  int unmaps = 0;
  int advises = 0;
  int protects = 0;
  int vectors = 0;
  weft::detail::nanos clock = 1;
};
inline state now;

inline bool refused(int& countdown) {
  if (countdown == 0 || --countdown > 0) return false;
  if (now.refuse_for_good) countdown = 1;
  errno = now.error;
  return true;
}

inline void* map(void* hint, std::size_t bytes) noexcept {
  ++now.maps;
  if (refused(now.refuse_map)) return MAP_FAILED;
  return weft::detail::real_platform.map(hint, bytes);
}
inline int unmap(void* at, std::size_t bytes) noexcept {
  ++now.unmaps;
  return weft::detail::real_platform.unmap(at, bytes);
}
inline int advise(void* at, std::size_t bytes, int advice) noexcept {
  ++now.advises;
  if (refused(now.refuse_advise)) return -1;
  if (advice == weft::detail::advice_guard_install) {
    if (now.ignore_guard_advice) return 0;
    if (!now.guard_advice) {
      errno = EINVAL;
      return -1;
    }
  }
  return weft::detail::real_platform.advise(at, bytes, advice);
}
inline ssize_t advise_ranges(const iovec* ranges, std::size_t n, int advice) noexcept {
  ++now.vectors;
  if (!now.vectored) {
    errno = ENOSYS;
    return -1;
  }
  return weft::detail::real_platform.advise_ranges(ranges, n, advice);
}
inline int protect_none(void* at, std::size_t bytes) noexcept {
  ++now.protects;
  if (refused(now.refuse_protect)) return -1;
  if (now.ignore_protect) return 0;
  return weft::detail::real_platform.protect_none(at, bytes);
}
inline long vm_setting(const char* name, long otherwise) noexcept {
  if (name[0] == 'm') return now.map_count;
  return weft::detail::real_platform.vm_setting(name, otherwise);
}

inline weft::detail::nanos clock() noexcept {
  return now.clock;
}

inline std::size_t page_bytes() noexcept {
  return now.page_bytes;
}

inline constexpr weft::detail::platform platform = {map,          unmap, advise,     advise_ranges,
                                                    protect_none, clock, vm_setting, page_bytes};
}  // namespace fake
