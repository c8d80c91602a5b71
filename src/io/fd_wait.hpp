#pragma once
#include "io/fd_table.hpp"
#include "time/timed_park.hpp"

namespace weft::detail {
enum class fd_end {
  retry,       // an edge came, or may have: try the call again
  failed,      // errno says why: ECANCELED, ETIMEDOUT, EBADF, or epoll's
  unpollable,  // epoll refuses it: regular files and the like
};
// Parks the running fiber until something happens in that direction of `fd`, which was `generation`
// when the caller's operation began.
// `edges`: the direction's count, read before the call that said "not now".
fd_end wait_fd(fd_entry& entry, int fd, std::uint32_t generation, direction d, std::uint32_t edges,
               nanos deadline = never) noexcept;

// On a kernel thread: poll(2), up to the deadline or the scope's. False: errno says why.
bool wait_fd_on_thread(int fd, short events, nanos deadline = never) noexcept;

// A cancellation point's first look, POSIX-style. False: errno is ECANCELED or ETIMEDOUT.
bool may_enter() noexcept;
}  // namespace weft::detail
