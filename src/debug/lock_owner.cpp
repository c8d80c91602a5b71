#include "debug/lock_owner.hpp"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/errno.hpp"
#include "base/peek.hpp"
#include "fiber/slab.hpp"

namespace weft::detail {
namespace {
// The kernel reads, and says EFAULT where a load would end the process. Where there is no such call
// (an emulator), a load: the moment in which the memory could go is short.
bool read_word(const void* at, std::uintptr_t& to) noexcept {
  const iovec here{&to, sizeof to};
  const iovec there{const_cast<void*>(at), sizeof to};
  const long n = ::syscall(SYS_process_vm_readv, ::getpid(), &here, 1, &there, 1, 0);
  if (n == static_cast<long>(sizeof to)) return true;
  if (n != -1 || errno == EFAULT) return false;
  to = peek(*static_cast<const std::uintptr_t*>(at));
  return true;
}
}  // namespace

owner_id owner_of_lock(const void* lock) noexcept {
  const int before = errno;
  std::uintptr_t word = 0;
  const bool read = read_word(lock, word);
  errno = before;
  const owner_id owner = word & ~std::uintptr_t{1};
  if (!read || owner == thread_mark) return 0;  // call_once has been done
  if (const control_block* const fiber = fiber_of(owner); fiber && !slab_has(fiber)) return 0;
  return owner;
}
}  // namespace weft::detail
