#pragma once
#include <cstddef>
#include <cstdint>

namespace weft::detail {
// The file of the trace. One thread at a time.
class trace_file {
 public:
  // From WEFT_TRACE and WEFT_TRACE_LIMIT. False: not asked for, or one line on stderr says what is
  // wrong.
  bool open() noexcept;
  // Writes bytes, of which all but the first `stays` are to be written over by the next call.
  // False: the file cannot be written; one line on stderr has said so.
  bool put(const char* bytes, std::size_t size, std::size_t stays) noexcept;

  std::uint64_t size() const noexcept { return end_; }  // without what is to be written over
  std::uint64_t limit() const noexcept { return limit_; }
  const char* name() const noexcept { return name_; }

 private:
  bool write_at(const char* bytes, std::size_t size, std::uint64_t at) noexcept;

  int fd_ = -1;
  std::uint64_t limit_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t tail_ = 0;  // how far the file reaches
  char name_[4096] = {};
};
}  // namespace weft::detail
