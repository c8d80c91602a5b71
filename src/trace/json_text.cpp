#include "trace/json_text.hpp"

#include <array>
#include <new>

namespace weft::detail {
namespace {
// "000" to "999".
constexpr auto triples = [] {
  std::array<char, 3000> all{};
  for (std::size_t i = 0; i < 1000; ++i) {
    all[i * 3] = static_cast<char>('0' + i / 100);
    all[i * 3 + 1] = static_cast<char>('0' + i / 10 % 10);
    all[i * 3 + 2] = static_cast<char>('0' + i % 10);
  }
  return all;
}();

// Decimal, three digits at a time, from the back of the buffer to its start: what is copied then
// has a constant size.
struct decimal {
  char digits[24];
  std::size_t first = sizeof digits;

  explicit decimal(std::uint64_t value) noexcept {
    while (value >= 1000) {
      first -= 3;
      std::memcpy(digits + first, &triples[value % 1000 * 3], 3);
      value /= 1000;
    }
    first -= 3;
    std::memcpy(digits + first, &triples[value * 3], 3);
    first += value < 10 ? 2 : value < 100 ? 1 : 0;
  }
};

// The length of the UTF-8 sequence that begins here, 0: none. A name may be cut in the middle of
// one, and a reader of JSON may refuse what is none.
std::size_t sequence(const char* text, std::size_t left) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  const std::size_t n = lead < 0x80                    ? 1
                        : lead >= 0xc2 && lead <= 0xdf ? 2
                        : lead >= 0xe0 && lead <= 0xef ? 3
                        : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                       : 0;
  if (n > left) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong ones, surrogates and what lies beyond Unicode.
  if (n == 3 && ((lead == 0xe0 && at(1) < 0xa0) || (lead == 0xed && at(1) > 0x9f))) return 0;
  if (n == 4 && ((lead == 0xf0 && at(1) < 0x90) || (lead == 0xf4 && at(1) > 0x8f))) return 0;
  return n;
}
}  // namespace

bool json_text::make() {
  text_.reset(new (std::nothrow) char[capacity]);
  at_ = text_.get();
  return text_ != nullptr;
}

void json_text::number(std::uint64_t value) noexcept {
  const decimal text(value);
  append(text.digits + text.first, sizeof text.digits - text.first);
}

void json_text::hex(std::uint64_t value) noexcept {
  const int digits = value == 0 ? 1 : (67 - __builtin_clzll(value)) / 4;
  append("0x");
  for (int i = digits; i > 0; --i) *at_++ = "0123456789abcdef"[value >> (4 * (i - 1)) & 15];
}

void json_text::micros(std::uint64_t ns) noexcept {
  const std::uint64_t whole = ns / 1000;
  number(whole);
  *at_ = '.';
  std::memcpy(at_ + 1, &triples[(ns - whole * 1000) * 3], 3);
  at_ += 4;
}

void json_text::quoted(const char* text, std::size_t most) noexcept {
  const std::size_t size = ::strnlen(text, most);
  for (std::size_t i = 0; i < size;) {
    const std::size_t n = sequence(text + i, size - i);
    if (n == 1 && (text[i] == '"' || text[i] == '\\')) append("\\");
    if (n == 0 || (n == 1 && static_cast<unsigned char>(text[i]) < 0x20)) {
      append("?");
    } else {
      append(text + i, n);
    }
    i += n ? n : 1;
  }
}
}  // namespace weft::detail
