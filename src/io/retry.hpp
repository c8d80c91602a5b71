#pragma once
#include <poll.h>

#include <cerrno>

#include "base/current.hpp"
#include "base/errno.hpp"
#include "base/syscount.hpp"
#include "io/fd_wait.hpp"

namespace weft::detail {
static_assert(EAGAIN == EWOULDBLOCK);
inline bool would_block(int error) noexcept {
  return error == EAGAIN;
}

// The shape of every call here: try, and while the kernel says "not now", park and try again.
// `attempt` makes the system call without blocking and returns as it does. On a kernel thread the
// same loop sleeps in poll(2), because weft's own descriptors are O_NONBLOCK for everybody.
template <class Attempt>
auto retry(int fd, direction d, sys kind, bool may_wait, Attempt&& attempt) noexcept
    -> decltype(attempt()) {
  if (!may_enter()) return -1;
  fd_entry* entry = find_entry(fd);
  // acquire: pairs with nothing that matters; a stale one is caught under the entry's lock.
  const std::uint32_t generation = entry ? entry->generation.load(std::memory_order_relaxed) : 0;
  for (;;) {
    const std::uint32_t edges = entry ? entry->side(d).edges.load(std::memory_order_relaxed) : 0;
    count_syscall(kind);
    const auto result = attempt();
    if (result >= 0) [[likely]]
      return result;
    const int error = get_errno();
    if (error == EINTR) {
      if (!may_enter()) return -1;
      continue;
    }
    if (!would_block(error) || !may_wait) return result;
    if (!current()->fiber) {
      if (!wait_fd_on_thread(fd, d == direction::in ? POLLIN : POLLOUT)) return -1;
      continue;
    }
    if (!entry) [[unlikely]] {
      set_errno(no_entry_error(fd));
      return -1;
    }
    if (wait_fd(*entry, fd, generation, d, edges) != fd_end::retry) return -1;
  }
}
}  // namespace weft::detail
