// read and write and their kin, which take any descriptor: weft's own, sockets of others, pipes,
// terminals, regular files.
#include <sys/stat.h>
#include <unistd.h>

#include <weft/io.hpp>

#include "io/retry.hpp"
#include "sched/blocking.hpp"

namespace weft::io {
using namespace weft::detail;

namespace {
// Regular files and block devices never say "not now", they just take their time.
bool is_file(int fd) noexcept {
  struct stat status;
  if (::fstat(fd, &status) != 0) return true;  // the call itself reports what is wrong
  return S_ISREG(status.st_mode) || S_ISBLK(status.st_mode) || S_ISDIR(status.st_mode);
}

template <class Call>
ssize_t through_blocking(sys kind, Call&& call) noexcept {
  if (!may_enter()) return -1;
  ssize_t result;
  int error;
  {
    const blocking_section inside;
    result = call();
    error = get_errno();
  }
  count_syscall(kind);
  if (result < 0) set_errno(error);
  return result;
}

// A descriptor that is not ours: its flags stay as they are, so the call may block. It is made only
// when poll says that it will not, and inside a blocking section, because another reader may be
// quicker.
template <class Call>
ssize_t foreign(int fd, direction d, sys kind, Call&& call) noexcept {
  if (is_file(fd)) return through_blocking(kind, call);
  const deadline until{};
  const bool ready = d == direction::in ? wait_readable(fd, until) : wait_writable(fd, until);
  return ready ? through_blocking(kind, call) : -1;
}

// `plain` is the call itself, `quick` its form that cannot block on a socket.
template <class Plain, class Quick>
ssize_t transfer(int fd, direction d, sys kind, Plain&& plain, Quick&& quick) noexcept {
  if (!current()->fiber) {
    const fd_entry* entry = find_entry(fd);
    // A kernel thread outside of a deadline_scope, on a descriptor that is not ours: the plain
    // call.
    if (scope_deadline() == weft::detail::never && !(entry && entry->has(fd_flag::nonblock)))
      return plain();
    return retry(fd, d, kind, true, [&]() -> ssize_t {
      if (entry && entry->has(fd_flag::nonblock)) return plain();
      const short events = d == direction::in ? POLLIN : POLLOUT;
      return wait_fd_on_thread(fd, events) ? plain() : -1;
    });
  }
  if (const fd_entry* entry = find_entry(fd); entry && entry->has(fd_flag::nonblock)) {
    return retry(fd, d, kind, true, plain);
  }
  const ssize_t result = retry(fd, d, kind, true, quick);
  if (result >= 0 || get_errno() != ENOTSOCK) return result;
  return foreign(fd, d, kind, plain);
}

msghdr message_of(const iovec* parts, int count) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  return message;
}
}  // namespace

ssize_t read(int fd, void* buffer, std::size_t count) noexcept {
  if (const fd_entry* entry = find_entry(fd); entry && entry->has(fd_flag::stream) && count != 0) {
    return recv(fd, buffer, count, 0);
  }
  return transfer(
      fd, direction::in, sys::read, [&] { return ::read(fd, buffer, count); },
      [&] { return ::recv(fd, buffer, count, MSG_DONTWAIT); });
}

ssize_t write(int fd, const void* buffer, std::size_t count) noexcept {
  return transfer(
      fd, direction::out, sys::write, [&] { return ::write(fd, buffer, count); },
      [&] { return ::send(fd, buffer, count, MSG_DONTWAIT); });
}

ssize_t readv(int fd, const iovec* parts, int count) noexcept {
  return transfer(
      fd, direction::in, sys::read, [&] { return ::readv(fd, parts, count); },
      [&] {
        msghdr message = message_of(parts, count);
        return ::recvmsg(fd, &message, MSG_DONTWAIT);
      });
}

ssize_t writev(int fd, const iovec* parts, int count) noexcept {
  return transfer(
      fd, direction::out, sys::write, [&] { return ::writev(fd, parts, count); },
      [&] {
        const msghdr message = message_of(parts, count);
        return ::sendmsg(fd, &message, MSG_DONTWAIT);
      });
}

ssize_t pread(int fd, void* buffer, std::size_t count, off_t offset) noexcept {
  return through_blocking(sys::read, [&] { return ::pread(fd, buffer, count, offset); });
}

ssize_t pwrite(int fd, const void* buffer, std::size_t count, off_t offset) noexcept {
  return through_blocking(sys::write, [&] { return ::pwrite(fd, buffer, count, offset); });
}
}  // namespace weft::io
