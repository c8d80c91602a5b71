#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

namespace weft::detail {
// A piece of JSON under construction, in a buffer of fixed size: the caller empties it while it is
// not yet full(). Written to be quick, because the writer's CPU time is what a trace costs most:
// the pieces are short, so they are copied in line, by constant sizes where that can be.
class json_text {
 public:
  bool make();  // false: no memory

  const char* data() const noexcept { return text_.get(); }
  std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - text_.get()); }
  bool full() const noexcept { return size() > capacity - line_room; }
  void unwind(std::size_t to) noexcept { at_ = text_.get() + to; }
  void clear() noexcept { at_ = text_.get(); }

  template <std::size_t n>
  void append(const char (&literal)[n]) noexcept {
    std::memcpy(at_, literal, n - 1);
    at_ += n - 1;
  }
  void append(const char* bytes, std::size_t size) noexcept {
    std::memcpy(at_, bytes, size);
    at_ += size;
  }
  // The same for a piece at the start of an array: all of it is copied, `size` bytes count.
  template <std::size_t n>
  void append_padded(const char (&array)[n], std::size_t size) noexcept {
    std::memcpy(at_, array, n);
    at_ += size;
  }
  void number(std::uint64_t value) noexcept;
  void hex(std::uint64_t value) noexcept;
  // Nanoseconds as microseconds with three decimals.
  void micros(std::uint64_t ns) noexcept;
  // Escaped, without the quotes; at most `most` bytes of it.
  void quoted(const char* text, std::size_t most) noexcept;

 private:
  static constexpr std::size_t capacity = 1 << 18;
  static constexpr std::size_t line_room = 2048;  // no event is longer

  std::unique_ptr<char[]> text_;
  char* at_ = nullptr;
};
}  // namespace weft::detail
