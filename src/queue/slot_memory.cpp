#include "queue/slot_memory.hpp"

#include <sys/mman.h>

#include "base/errno.hpp"
#include "base/syscount.hpp"

namespace weft::detail {

void* slot_memory::map(std::size_t bytes) noexcept {
  const int saved = errno;
  count_syscall(sys::other);
  void* const at =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  errno = saved;
  return at == MAP_FAILED ? nullptr : at;
}

void slot_memory::unmap(void* at, std::size_t bytes) noexcept {
  const int saved = errno;
  count_syscall(sys::other);
  ::munmap(at, bytes);
  errno = saved;
}

}  // namespace weft::detail
