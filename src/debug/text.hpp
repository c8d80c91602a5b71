#pragma once
#include <cstdarg>
#include <cstddef>

namespace weft::detail {
// Text for a file descriptor, in whole lines: each write ends with one, and is small enough that a
// pipe takes it in one piece, so that the lines of two writers do not mix. Signal-safe, allocates
// nothing. A line that is too long is cut.
class text {
 public:
  static constexpr std::size_t room = 4096;     // enough of a buffer: PIPE_BUF
  static constexpr std::size_t longest = 1024;  // of a line, and the least size of a buffer

  text(int fd, char* buffer, std::size_t size) noexcept : fd_(fd), buffer_(buffer), size_(size) {}
  ~text() { flush(); }
  text(const text&) = delete;
  text& operator=(const text&) = delete;

  // To the current line.
  [[gnu::format(printf, 2, 3)]] void add(const char* format, ...) noexcept;
  void end_line() noexcept;
  void flush() noexcept;

 private:
  int fd_;
  char* buffer_;
  std::size_t size_;
  std::size_t line_ = 0;  // where the current line begins
  std::size_t end_ = 0;
  bool failed_ = false;
};
}  // namespace weft::detail
