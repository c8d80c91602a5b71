#include "debug/text.hpp"

#include <poll.h>
#include <unistd.h>

#include <cstdio>

#include "base/errno.hpp"

namespace weft::detail {
namespace {
// A reader that does not read holds a dump up for so long, and no longer, if the descriptor is
// non-blocking.
constexpr int patience_ms = 1000;

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
}  // namespace

void text::add(const char* format, ...) noexcept {
  const std::size_t limit = line_ + longest - 1;  // the newline
  if (end_ >= limit) return;
  va_list arguments;
  va_start(arguments, format);
  const int n = std::vsnprintf(buffer_ + end_, limit - end_ + 1, format, arguments);
  va_end(arguments);
  if (n <= 0) return;
  end_ += static_cast<std::size_t>(n);
  if (end_ > limit) end_ = limit;
}

void text::end_line() noexcept {
  buffer_[end_++] = '\n';
  line_ = end_;
  if (end_ + longest > size_) flush();
}

void text::flush() noexcept {
  const std::size_t whole = line_;
  line_ = end_ = 0;
  if (!failed_ && whole > 0) failed_ = !write_all(fd_, buffer_, whole);
}
}  // namespace weft::detail
