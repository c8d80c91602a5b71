// recv and send: the calls of every request a server handles.
#include <weft/io.hpp>

#include "io/retry.hpp"

namespace weft::io {
using namespace weft::detail;

// One recv that skips the call when a former one found the bottom and no edge has come since (D10):
// then the answer is known to be EAGAIN.
ssize_t recv(int fd, void* buffer, std::size_t count, int flags) noexcept {
  fd_entry* entry = find_entry(fd);
  const bool tracked = entry && entry->has(fd_flag::stream) && (flags & MSG_PEEK) == 0 &&
                       current()->fiber != nullptr;
  if (!tracked || (flags & MSG_DONTWAIT) != 0) {
    return retry(fd, direction::in, sys::read, (flags & MSG_DONTWAIT) == 0,
                 [&] { return ::recv(fd, buffer, count, flags | MSG_DONTWAIT); });
  }
  if (!may_enter()) return -1;
  const std::uint32_t generation = entry->generation.load(std::memory_order_relaxed);
  fd_direction& in = entry->in;
  for (;;) {
    // Read before the call: an edge in between must not be taken for one that the call has seen.
    const std::uint32_t edges = in.edges.load(std::memory_order_relaxed);
    const bool empty = in.drained_at.load(std::memory_order_relaxed) == edges &&
                       !entry->no_skip.load(std::memory_order_relaxed);
    if (!empty) {
      count_syscall(sys::read);
      const ssize_t n = ::recv(fd, buffer, count, flags | MSG_DONTWAIT);
      if (n >= 0) {
        if (n > 0 && static_cast<std::size_t>(n) < count) {
          in.drained_at.store(edges, std::memory_order_relaxed);
        }
        return n;
      }
      const int error = get_errno();
      if (error != EINTR && !would_block(error)) return n;
      if (error == EINTR) {
        if (!may_enter()) return -1;
        continue;
      }
    }
    if (wait_fd(*entry, fd, generation, direction::in, edges) != fd_end::retry) return -1;
  }
}

ssize_t send(int fd, const void* buffer, std::size_t count, int flags) noexcept {
  return retry(fd, direction::out, sys::write, (flags & MSG_DONTWAIT) == 0,
               [&] { return ::send(fd, buffer, count, flags | MSG_DONTWAIT); });
}

ssize_t recvfrom(int fd, void* buffer, std::size_t count, int flags, sockaddr* from,
                 socklen_t* from_size) noexcept {
  const socklen_t room = from_size ? *from_size : 0;
  return retry(fd, direction::in, sys::read, (flags & MSG_DONTWAIT) == 0, [&] {
    if (from_size) *from_size = room;
    return ::recvfrom(fd, buffer, count, flags | MSG_DONTWAIT, from, from_size);
  });
}

ssize_t sendto(int fd, const void* buffer, std::size_t count, int flags, const sockaddr* to,
               socklen_t to_size) noexcept {
  return retry(fd, direction::out, sys::write, (flags & MSG_DONTWAIT) == 0,
               [&] { return ::sendto(fd, buffer, count, flags | MSG_DONTWAIT, to, to_size); });
}

ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept {
  return retry(fd, direction::in, sys::read, (flags & MSG_DONTWAIT) == 0,
               [&] { return ::recvmsg(fd, message, flags | MSG_DONTWAIT); });
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept {
  return retry(fd, direction::out, sys::write, (flags & MSG_DONTWAIT) == 0,
               [&] { return ::sendmsg(fd, message, flags | MSG_DONTWAIT); });
}
}  // namespace weft::io
