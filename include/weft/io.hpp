#pragma once
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <weft/detail/time.hpp>

/// @file
/// POSIX names, POSIX results (-1 and errno); where the call would block, the calling fiber parks
/// instead of its kernel thread. On a kernel thread each blocks as its namesake does. Each has an
/// overload with std::error_code& last, which leaves errno alone.
///
/// Every call is a cancellation point unless it says otherwise: in a fiber that was asked to stop
/// it returns -1 with ECANCELED, past the deadline of a deadline_scope -1 with ETIMEDOUT. They
/// never throw, because C frames may stand above them.
///
/// Descriptors made by weft (io::socket, accept4, socketpair, pipe, net) are O_NONBLOCK and are
/// registered with epoll once. Any other works too, at the price of one epoll_ctl for each park,
/// until io::adopt() promises that it will be closed through io::close; its flags are left alone
/// (connect sets O_NONBLOCK for the length of the call).

namespace weft::detail {
// Not const, unlike glibc's accessor: a compiler must not keep errno's address across a park, after
// which the fiber may be on another thread.
int* errno_address() noexcept;
}  // namespace weft::detail

#undef errno
/// errno of the kernel thread that the fiber is on now: read afresh each time. A fiber's errno
/// survives its parks.
#define errno (*::weft::detail::errno_address())

namespace weft::io {
/// When a wait is to end at the latest: a time point or duration of any clock, or `never`.
class deadline {
 public:
  /// No limit.
  constexpr deadline() noexcept = default;
  /// From now on.
  template <class R, class P>
  deadline(const std::chrono::duration<R, P>& from_now)
      : at_(weft::detail::deadline_after(from_now)) {}
  /// A point in time.
  template <class C, class D>
  deadline(const std::chrono::time_point<C, D>& at) : at_(weft::detail::deadline_at(at)) {}
  /// Nanoseconds of CLOCK_MONOTONIC.
  constexpr std::int64_t nanos() const noexcept { return at_; }

 private:
  std::int64_t at_ = weft::detail::no_deadline;
};
/// The deadline that does not come.
inline constexpr deadline never{};

/// read(2). Regular files, terminals that are not ready and the like go through weft::blocking.
ssize_t read(int fd, void* buffer, std::size_t count) noexcept;
/// write(2). May write less than count, as write(2) on a non-blocking descriptor does.
ssize_t write(int fd, const void* buffer, std::size_t count) noexcept;
/// readv(2)
ssize_t readv(int fd, const iovec* parts, int count) noexcept;
/// writev(2)
ssize_t writev(int fd, const iovec* parts, int count) noexcept;
/// pread(2), through weft::blocking.
ssize_t pread(int fd, void* buffer, std::size_t count, off_t offset) noexcept;
/// pwrite(2), through weft::blocking.
ssize_t pwrite(int fd, const void* buffer, std::size_t count, off_t offset) noexcept;
/// recv(2); MSG_DONTWAIT is honoured.
ssize_t recv(int fd, void* buffer, std::size_t count, int flags) noexcept;
/// send(2); MSG_DONTWAIT is honoured. May send less than count.
ssize_t send(int fd, const void* buffer, std::size_t count, int flags) noexcept;
/// recvfrom(2)
ssize_t recvfrom(int fd, void* buffer, std::size_t count, int flags, sockaddr* from,
                 socklen_t* from_size) noexcept;
/// sendto(2)
ssize_t sendto(int fd, const void* buffer, std::size_t count, int flags, const sockaddr* to,
               socklen_t to_size) noexcept;
/// recvmsg(2)
ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept;
/// sendmsg(2)
ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept;
/// accept4(2). What it returns is weft's own: SOCK_NONBLOCK is implied.
int accept4(int fd, sockaddr* peer, socklen_t* peer_size, int flags) noexcept;
/// connect(2): returns when the connection stands or has failed.
int connect(int fd, const sockaddr* to, socklen_t to_size) noexcept;
/// socket(2), SOCK_NONBLOCK implied. Not a cancellation point.
int socket(int domain, int type, int protocol) noexcept;
/// socketpair(2), SOCK_NONBLOCK implied. Not a cancellation point.
int socketpair(int domain, int type, int protocol, int* ends) noexcept;
/// pipe2(2), O_NONBLOCK implied. Not a cancellation point.
int pipe(int* ends, int flags = 0) noexcept;
/// close(2). Every fiber that waits on the descriptor returns from its call with -1 and EBADF
/// first. Not a cancellation point.
int close(int fd) noexcept;
/// poll(2): one parked fiber, any number of descriptors; timeout in milliseconds, negative: none.
/// Level-triggered.
int poll(pollfd* fds, nfds_t count, int timeout) noexcept;

/// Parks until a read would not block: data, end of stream, an error. Level-triggered. False: the
/// deadline passed (errno ETIMEDOUT), the fiber was asked to stop (ECANCELED), or the descriptor is
/// not open (EBADF).
bool wait_readable(int fd, deadline until = never) noexcept;
/// The same for writing.
bool wait_writable(int fd, deadline until = never) noexcept;

/// Promises that fd will be closed through io::close: it is registered once from then on, as weft's
/// own are. O_NONBLOCK is not set.
void adopt(int fd) noexcept;

namespace detail {
// Calls a POSIX-named function, moves its error from errno to the code.
template <class Call>
auto with_code(std::error_code& error, Call&& call) noexcept {
  const int before = errno;
  const auto result = call();
  if (result < 0) {
    error.assign(errno, std::generic_category());
  } else {
    error.clear();
  }
  errno = before;
  return result;
}
}  // namespace detail

/// @name Overloads that report through a std::error_code and leave errno alone
/// @{

/// As its namesake without `error`, which is cleared if nothing goes wrong.
inline ssize_t read(int fd, void* buffer, std::size_t count, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::read(fd, buffer, count); });
}
inline ssize_t write(int fd, const void* buffer, std::size_t count,
                     std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::write(fd, buffer, count); });
}
inline ssize_t readv(int fd, const iovec* parts, int count, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::readv(fd, parts, count); });
}
inline ssize_t writev(int fd, const iovec* parts, int count, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::writev(fd, parts, count); });
}
inline ssize_t pread(int fd, void* buffer, std::size_t count, off_t offset,
                     std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::pread(fd, buffer, count, offset); });
}
inline ssize_t pwrite(int fd, const void* buffer, std::size_t count, off_t offset,
                      std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::pwrite(fd, buffer, count, offset); });
}
inline ssize_t recv(int fd, void* buffer, std::size_t count, int flags,
                    std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::recv(fd, buffer, count, flags); });
}
inline ssize_t send(int fd, const void* buffer, std::size_t count, int flags,
                    std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::send(fd, buffer, count, flags); });
}
inline ssize_t recvfrom(int fd, void* buffer, std::size_t count, int flags, sockaddr* from,
                        socklen_t* from_size, std::error_code& error) noexcept {
  return detail::with_code(error,
                           [&] { return io::recvfrom(fd, buffer, count, flags, from, from_size); });
}
inline ssize_t sendto(int fd, const void* buffer, std::size_t count, int flags, const sockaddr* to,
                      socklen_t to_size, std::error_code& error) noexcept {
  return detail::with_code(error,
                           [&] { return io::sendto(fd, buffer, count, flags, to, to_size); });
}
inline ssize_t recvmsg(int fd, msghdr* message, int flags, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::recvmsg(fd, message, flags); });
}
inline ssize_t sendmsg(int fd, const msghdr* message, int flags, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::sendmsg(fd, message, flags); });
}
inline int accept4(int fd, sockaddr* peer, socklen_t* peer_size, int flags,
                   std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::accept4(fd, peer, peer_size, flags); });
}
inline int connect(int fd, const sockaddr* to, socklen_t to_size, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::connect(fd, to, to_size); });
}
inline int socket(int domain, int type, int protocol, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::socket(domain, type, protocol); });
}
inline int socketpair(int domain, int type, int protocol, int* ends,
                      std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::socketpair(domain, type, protocol, ends); });
}
inline int pipe(int* ends, int flags, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::pipe(ends, flags); });
}
inline int close(int fd, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::close(fd); });
}
inline int poll(pollfd* fds, nfds_t count, int timeout, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::poll(fds, count, timeout); });
}
inline bool wait_readable(int fd, deadline until, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::wait_readable(fd, until) ? 0 : -1; }) == 0;
}
inline bool wait_writable(int fd, deadline until, std::error_code& error) noexcept {
  return detail::with_code(error, [&] { return io::wait_writable(fd, until) ? 0 : -1; }) == 0;
}
inline void adopt(int fd, std::error_code& error) noexcept {
  detail::with_code(error, [&] { return io::adopt(fd), 0; });
}
/// @}
}  // namespace weft::io
