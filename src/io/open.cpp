// Descriptors come and go: what weft makes it owns, and what it closes it tells the waiters of first.
#include <fcntl.h>
#include <unistd.h>

#include <weft/io.hpp>

#include "io/poller.hpp"
#include "io/retry.hpp"
#include "sched/schedule.hpp"

namespace weft::io {
using namespace weft::detail;

namespace {
std::uint8_t flags_of(int type) noexcept {
  const bool stream = (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM;
  return static_cast<std::uint8_t>(fd_flag::own | fd_flag::nonblock |
                                   (stream ? fd_flag::stream : 0));
}

bool is_stream_socket(int fd) noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}
}  // namespace

int socket(int domain, int type, int protocol) noexcept {
  count_syscall(sys::other);
  const int fd = ::socket(domain, type | SOCK_NONBLOCK, protocol);
  if (fd >= 0) adopt_new(fd, flags_of(type));
  return fd;
}

int socketpair(int domain, int type, int protocol, int* ends) noexcept {
  count_syscall(sys::other);
  if (::socketpair(domain, type | SOCK_NONBLOCK, protocol, ends) != 0) return -1;
  adopt_new(ends[0], flags_of(type));
  adopt_new(ends[1], flags_of(type));
  return 0;
}

int pipe(int* ends, int flags) noexcept {
  count_syscall(sys::other);
  if (::pipe2(ends, flags | O_NONBLOCK) != 0) return -1;
  adopt_new(ends[0], fd_flag::own | fd_flag::nonblock);
  adopt_new(ends[1], fd_flag::own | fd_flag::nonblock);
  return 0;
}

int accept4(int fd, sockaddr* peer, socklen_t* peer_size, int flags) noexcept {
  const socklen_t room = peer_size ? *peer_size : 0;
  const fd_entry* listener = find_entry(fd);
  const bool quick = listener && listener->has(fd_flag::nonblock);
  if (!quick && current()->fiber) {
    // A listener that is not ours may be blocking: ask first. Another acceptor may still be quicker; then
    // this thread blocks until the next connection, as its flags demand.
    if (!wait_readable(fd)) return -1;
  }
  const int accepted = retry(fd, direction::in, sys::accept, true, [&] {
    if (peer_size) *peer_size = room;
    return ::accept4(fd, peer, peer_size, flags | SOCK_NONBLOCK);
  });
  if (accepted >= 0) adopt_new(accepted, flags_of(SOCK_STREAM));
  return accepted;
}

int connect(int fd, const sockaddr* to, socklen_t to_size) noexcept {
  if (!may_enter()) return -1;
  count_syscall(sys::connect);
  fd_entry* entry = find_entry(fd);
  const bool own = entry && entry->has(fd_flag::nonblock);
  int restore = -1;
  if (!own && current()->fiber) {
    restore = ::fcntl(fd, F_GETFL);
    if (restore >= 0) ::fcntl(fd, F_SETFL, restore | O_NONBLOCK);
  }
  int result = ::connect(fd, to, to_size);
  if (result != 0 && get_errno() == EINPROGRESS) {
    if (wait_writable(fd)) {
      int error = 0;
      socklen_t size = sizeof error;
      result = ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (result == 0 && error != 0) {
        set_errno(error);
        result = -1;
      }
    }
  }
  if (restore >= 0 && (restore & O_NONBLOCK) == 0) {
    const int error = get_errno();
    ::fcntl(fd, F_SETFL, restore);
    set_errno(error);
  }
  return result;
}

int close(int fd) noexcept {
  task_list<control_block> ready;
  if (fd_entry* entry = find_entry(fd)) {
    const runtime_core* core = nullptr;
    if (const control_block* me = current()->fiber) core = me->rt.load(std::memory_order_relaxed);
    {
      const spin_guard guard(entry->lock);
      // Whoever began with the number before this finds another generation and gives up.
      entry->generation.fetch_add(1, std::memory_order_relaxed);
      entry->flags.store(0, std::memory_order_relaxed);
      entry->registered = 0;
      entry->in.ready = entry->out.ready = false;
      wake_waiters_locked(entry->in, wake_reason::closed, core, ready);
      wake_waiters_locked(entry->out, wake_reason::closed, core, ready);
    }
    if (core) make_ready(*const_cast<runtime_core*>(core), ready);
  }
  count_syscall(sys::close);
  return ::close(fd);
}

void adopt(int fd) noexcept {
  const bool stream = is_stream_socket(fd);
  const int flags = ::fcntl(fd, F_GETFL);
  const bool nonblock = flags >= 0 && (flags & O_NONBLOCK) != 0;
  adopt_new(fd, static_cast<std::uint8_t>(fd_flag::own | (stream ? fd_flag::stream : 0) |
                                          (nonblock ? fd_flag::nonblock : 0)));
}
}  // namespace weft::io
