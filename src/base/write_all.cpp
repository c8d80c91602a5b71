#include "base/write_all.hpp"

#include <poll.h>
#include <unistd.h>

#include "base/errno.hpp"

namespace weft::detail {
namespace {
constexpr int patience_ms = 1000;
}  // namespace

bool write_all(int fd, const char* from, std::size_t size) noexcept {
  while (size > 0) {
    const ssize_t n = ::write(fd, from, size);
    if (n > 0) {
      from += n;
      size -= static_cast<std::size_t>(n);
    } else if (n < 0 && errno == EAGAIN) {
      pollfd one{.fd = fd, .events = POLLOUT, .revents = 0};
      if (::poll(&one, 1, patience_ms) == 0) return false;
    } else if (n == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}
}  // namespace weft::detail
