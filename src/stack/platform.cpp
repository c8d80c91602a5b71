#include "stack/platform.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/syscount.hpp"

namespace weft::detail {
namespace {
void* map(void* hint, std::size_t bytes) noexcept {
  count_syscall(sys::other);
  return ::mmap(hint, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                -1, 0);
}

int unmap(void* at, std::size_t bytes) noexcept {
  count_syscall(sys::other);
  return ::munmap(at, bytes);
}

int advise(void* at, std::size_t bytes, int advice) noexcept {
  count_syscall(sys::other);
  return ::madvise(at, bytes, advice);
}

// Not through a pidfd of our own: it would cost a descriptor, and after a fork name the parent.
ssize_t advise_ranges(const iovec* ranges, std::size_t n, int advice) noexcept {
  count_syscall(sys::other);
  return ::syscall(SYS_process_madvise, pidfd_self_process, ranges, n, advice, 0);
}

int protect_none(void* at, std::size_t bytes) noexcept {
  count_syscall(sys::other);
  return ::mprotect(at, bytes, PROT_NONE);
}

long vm_setting(const char* name, long otherwise) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/sys/vm/%s", name);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return otherwise;
  char text[32] = {};
  const ssize_t n = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  return n > 0 ? std::strtol(text, nullptr, 10) : otherwise;
}

std::size_t page_bytes() noexcept {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}
}  // namespace

constinit const platform real_platform = {map,          unmap, advise,     advise_ranges,
                                          protect_none, now,   vm_setting, page_bytes};
}  // namespace weft::detail
