#include "debug/text.hpp"

#include <cstdio>

#include "base/write_all.hpp"

namespace weft::detail {
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
