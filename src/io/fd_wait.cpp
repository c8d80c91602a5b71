#include "io/fd_wait.hpp"

#include <poll.h>

#include <cerrno>
#include <new>

#include "base/errno.hpp"
#include "base/syscount.hpp"
#include "io/events.hpp"
#include "sched/explorer.hpp"

namespace weft::detail {
namespace {
// The entry was locked before the park, so that no edge is delivered between linking and being off
// the stack.
void publish_fd(control_block*, void* arg) noexcept {
  static_cast<fd_entry*>(arg)->lock.unlock();
}

fd_end fail(int error) noexcept {
  set_errno(error);
  return fd_end::failed;
}

fd_end translate(wait_end end) noexcept {
  switch (end) {
    case wait_end::cancelled:
      return fail(ECANCELED);
    case wait_end::timed_out:
    case wait_end::scope_expired:
      return fail(ETIMEDOUT);
    case wait_end::closed:
      return fail(EBADF);
    default:
      return fd_end::retry;
  }
}
}  // namespace

fd_end wait_fd(fd_entry& entry, int fd, std::uint32_t generation, direction d, std::uint32_t edges,
               nanos deadline) noexcept {
  fd_direction& side = entry.side(d);
  control_block& me = *current()->fiber;
  fd_waiter node{{&me, me.word.next_epoch()}};
  entry.lock.lock();
  if (entry.generation.load(std::memory_order_relaxed) != generation) {
    entry.lock.unlock();
    return fail(EBADF);
  }
  if (side.edges.load(std::memory_order_relaxed) != edges) {  // an edge since the call
    entry.lock.unlock();
    return fd_end::retry;
  }
  side.waiters.push_back(node);
  if (const int error = poller_here().arm_locked(entry, fd)) {
    side.waiters.erase(node);
    entry.lock.unlock();
    return error == EPERM ? fd_end::unpollable : fail(error);
  }
  wait_end end;
  try {
    end = wait(d == direction::in ? wait_kind::readable : wait_kind::writable,
               reinterpret_cast<const void*>(static_cast<std::intptr_t>(fd)), deadline, publish_fd,
               &entry);
  } catch (const std::bad_alloc&) {  // no place for the timer; nothing was published
    side.waiters.erase(node);
    entry.lock.unlock();
    return fail(ENOMEM);
  }
  if (end == wait_end::woken) {
    // Woken, and closed before it ran: the number may be another's by now, and to try again would
    // be to take what is his. relaxed: whoever closes at this very moment may come too late, as for
    // any call that has begun.
    return entry.generation.load(std::memory_order_relaxed) == generation ? fd_end::retry
                                                                          : fail(EBADF);
  }
  if (end != wait_end::closed) {
    const spin_guard guard(entry.lock);
    if (node.linked) side.waiters.erase(node);
  }
  return translate(end);
}

bool wait_fd_on_thread(int fd, short events, nanos deadline) noexcept {
  if (fd < 0) {
    set_errno(EBADF);
    return false;
  }
  const nanos scope = scope_deadline();
  const nanos until = scope < deadline ? scope : deadline;
  for (;;) {
    pollfd one{.fd = fd, .events = events, .revents = 0};
    count_syscall(sys::poll);
    int n;
    if (until == never) {
      n = ::poll(&one, 1, -1);
    } else {
      const timespec left = to_timespec(until - now_here());
      n = ::ppoll(&one, 1, &left, nullptr);
    }
    if (n > 0) {
      if ((one.revents & POLLNVAL) == 0) return true;
      set_errno(EBADF);
      return false;
    }
    if (n == 0) {
      set_errno(ETIMEDOUT);
      return false;
    }
    if (get_errno() != EINTR) return false;
  }
}

bool may_enter() noexcept {
  switch (entry_check()) {
    case wait_end::cancelled:
      set_errno(ECANCELED);
      return false;
    case wait_end::scope_expired:
      set_errno(ETIMEDOUT);
      return false;
    default:
      return true;
  }
}
}  // namespace weft::detail
