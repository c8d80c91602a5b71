// Descriptors come and go: what weft makes it owns, and what it closes it tells the waiters of
// first.
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <new>
#include <weft/io.hpp>

#include "io/poller.hpp"
#include "io/retry.hpp"
#include "sched/blocking.hpp"
#include "sched/explorer.hpp"
#include "sched/spawn.hpp"

namespace weft::io {
using namespace weft::detail;

namespace {
constexpr std::uint8_t own_flags = fd_flag::own | fd_flag::nonblock;

// A short read proves that nothing is left only where the kernel fills the buffer as far as it can:
// TCP. A sequence of packets ends a read at each, and so does a descriptor passed over a Unix
// socket.
bool drains(int domain, int type, int protocol) noexcept {
  return (domain == AF_INET || domain == AF_INET6) &&
         (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM &&
         (protocol == 0 || protocol == IPPROTO_TCP);
}

int option_of(int fd, int name) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool drains(int fd) noexcept {
  return drains(option_of(fd, SO_DOMAIN), option_of(fd, SO_TYPE), option_of(fd, SO_PROTOCOL));
}

// False: errno says why not.
bool pause_a_millisecond() noexcept {
  try {
    const wait_end end =
        wait(wait_kind::sleep, nullptr, saturating_add(now_here(), 1'000'000), nullptr, nullptr);
    if (end == wait_end::timed_out) return true;
    set_errno(end == wait_end::cancelled ? ECANCELED : ETIMEDOUT);
  } catch (const std::bad_alloc&) {
    set_errno(ENOMEM);
  }
  return false;
}

std::uint8_t with_stream(std::uint8_t flags, bool stream) noexcept {
  return static_cast<std::uint8_t>(flags | (stream ? fd_flag::stream : 0));
}

// A descriptor that the kernel has just made: the descriptor; or closed, -1 and errno, when there
// is no memory for its entry: as nobody's it would be neither waited on rightly nor blocking.
int adopt_or_close(int fd, std::uint8_t flags) noexcept {
  if (adopt_new(fd, flags)) [[likely]]
    return fd;
  const int error = no_entry_error(fd);
  ::close(fd);
  set_errno(error);
  return -1;
}

int adopt_both(int* ends) noexcept {
  const int first = ends[0];
  const int second = ends[1];
  if (adopt_or_close(first, own_flags) < 0) {
    const int error = get_errno();
    ::close(second);
    set_errno(error);
    return -1;
  }
  if (adopt_or_close(second, own_flags) >= 0) [[likely]]
    return 0;
  const int error = get_errno();
  io::close(first);
  set_errno(error);
  return -1;
}
}  // namespace

int socket(int domain, int type, int protocol) noexcept {
  count_syscall(sys::other);
  const int fd = ::socket(domain, type | SOCK_NONBLOCK, protocol);
  return fd < 0 ? -1 : adopt_or_close(fd, with_stream(own_flags, drains(domain, type, protocol)));
}

int socketpair(int domain, int type, int protocol, int* ends) noexcept {
  count_syscall(sys::other);
  return ::socketpair(domain, type | SOCK_NONBLOCK, protocol, ends) == 0 ? adopt_both(ends) : -1;
}

int pipe(int* ends, int flags) noexcept {
  count_syscall(sys::other);
  return ::pipe2(ends, flags | O_NONBLOCK) == 0 ? adopt_both(ends) : -1;
}

int accept4(int fd, sockaddr* peer, socklen_t* peer_size, int flags) noexcept {
  const socklen_t room = peer_size ? *peer_size : 0;
  const fd_entry* listener = find_entry(fd);
  const bool quick = listener && listener->has(fd_flag::nonblock);
  const auto attempt = [&] {
    if (peer_size) *peer_size = room;
    return ::accept4(fd, peer, peer_size, flags | SOCK_NONBLOCK);
  };
  int accepted;
  if (quick || !current()->fiber) {
    accepted = retry(fd, direction::in, sys::accept, true, attempt);
  } else {
    // A listener that is not ours may be blocking: ask first, and call where blocking does no harm,
    // for another acceptor may be quicker.
    do {
      if (!wait_readable(fd)) return -1;
      const blocking_section inside;
      accepted = attempt();
    } while (accepted < 0 && get_errno() == EAGAIN);
    count_syscall(sys::accept);
  }
  if (accepted >= 0) {
    const bool stream = quick ? listener->has(fd_flag::stream) : drains(accepted);
    return adopt_or_close(accepted, with_stream(own_flags, stream));
  }
  return -1;
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
  // A Unix socket whose listener's backlog is full says EAGAIN, and no event will tell when it is
  // not.
  while (result != 0 && get_errno() == EAGAIN && to->sa_family == AF_UNIX && current()->fiber) {
    if (!pause_a_millisecond()) break;
    result = ::connect(fd, to, to_size);
  }
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
  count_syscall(sys::close);
  fd_entry* entry = has_forked() ? nullptr : find_entry(fd);
  if (!entry) return ::close(fd);
  task_list<control_block> ready;
  {
    const spin_guard guard(entry->lock);
    // Whoever began with the number before this finds another generation and gives up.
    entry->generation.fetch_add(1, std::memory_order_relaxed);
    entry->flags.store(0, std::memory_order_relaxed);
    entry->registered = 0;
    wake_waiters_locked(entry->in, wake_reason::closed, nullptr, ready);
    wake_waiters_locked(entry->out, wake_reason::closed, nullptr, ready);
  }
  const int result = ::close(fd);
  const int error = get_errno();
  {
    // Whoever began between the two: the kernel has dropped their registration. They try again, and
    // are told. Should the number be in use by now, its new owner's waiters are woken for nothing.
    const spin_guard guard(entry->lock);
    wake_waiters_locked(entry->in, wake_reason::wake, nullptr, ready);
    wake_waiters_locked(entry->out, wake_reason::wake, nullptr, ready);
  }
  while (control_block* block = ready.pop_front()) make_ready(block);
  set_errno(error);
  return result;
}

void adopt(int fd) noexcept {
  const int error = get_errno();
  const int flags = ::fcntl(fd, F_GETFL);
  const bool nonblock = flags >= 0 && (flags & O_NONBLOCK) != 0;
  // A blocking stream is read with MSG_DONTWAIT, so a short read tells as much there.
  const bool stream = drains(fd);
  set_errno(error);
  if (flags < 0) return;
  // Without an entry it stays a foreign one, and is waited for as such when there is memory again.
  static_cast<void>(adopt_new(
      fd, with_stream(static_cast<std::uint8_t>(fd_flag::own | (nonblock ? fd_flag::nonblock : 0)),
                      stream)));
}
}  // namespace weft::io
