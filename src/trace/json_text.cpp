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

// Decimal, three digits at a time, backwards. What is copied of it has a constant size, so there is
// as much room behind.
struct decimal {
  static constexpr std::size_t most = 24;
  char digits[2 * most];
  std::size_t first = most;

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
// Eight digits as the bytes of a word: each nibble in a byte of its own, then all made letters at
// once. Little-endian memory has the first digit in the lowest byte.
std::uint64_t hex_digits(std::uint32_t value) noexcept {
  std::uint64_t v = value;
  v = (v << 16 | v) & 0x0000ffff0000ffff;
  v = (v << 8 | v) & 0x00ff00ff00ff00ff;
  v = (v << 4 | v) & 0x0f0f0f0f0f0f0f0f;
  const std::uint64_t letters = (v + 0x0606060606060606) >> 4 & 0x0101010101010101;
  return __builtin_bswap64(v + 0x3030303030303030 + letters * ('a' - '0' - 10));
}
}  // namespace

bool json_text::make() {
  text_.reset(new (std::nothrow) char[capacity]);
  at_ = text_.get();
  return text_ != nullptr;
}

void json_text::number(std::uint64_t value) noexcept {
  const decimal text(value);
  std::memcpy(at_, text.digits + text.first, decimal::most);
  at_ += decimal::most - text.first;
}

void json_text::hex(std::uint64_t value) noexcept {
  const auto digits = static_cast<std::size_t>(value == 0 ? 1 : (67 - __builtin_clzll(value)) / 4);
  char all[32];
  const std::uint64_t halves[2] = {hex_digits(static_cast<std::uint32_t>(value >> 32)),
                                   hex_digits(static_cast<std::uint32_t>(value))};
  std::memcpy(all, halves, sizeof halves);
  append("0x");
  std::memcpy(at_, all + 16 - digits, 16);
  at_ += digits;
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
