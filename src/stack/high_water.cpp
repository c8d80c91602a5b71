#include "stack/high_water.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "base/errno.hpp"

namespace weft::detail {
namespace {
// No address and no small number.
constexpr std::uint64_t paint = 0xf1be'0b57'acce'd00dULL;

// Which pages are resident, asked in portions.
class residency {
 public:
  residency(std::byte* lo, std::byte* end) noexcept : lo_(lo), end_(end) {}

  bool has(std::byte* page) noexcept {
    const auto at = static_cast<std::size_t>(page - lo_) / page_size;
    if (at / portion != loaded_) load(at / portion);
    return (map_[at % portion] & 1) != 0;
  }

 private:
  static constexpr std::size_t portion = 64;  // small: a fiber looks at its own stack, at its end

  void load(std::size_t which) noexcept {
    loaded_ = which;
    std::byte* const from = lo_ + which * portion * page_size;
    const auto left = static_cast<std::size_t>(end_ - from);
    const std::size_t size = left < portion * page_size ? left : portion * page_size;
    const int before = errno;
    // Where it is not supported every page counts as resident, and becomes so.
    if (::mincore(from, size, map_) != 0) std::memset(map_, 1, sizeof map_);
    errno = before;
  }

  std::byte* lo_;
  std::byte* end_;
  std::size_t loaded_ = ~std::size_t{0};
  unsigned char map_[portion];
};

std::byte* page_above(std::byte* address) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  return address + (-at & (page_size - 1));
}

// The compiler must neither cache nor combine these: another thread may be at work there. Not
// instrumented: what is read belongs to other functions' frames.
[[gnu::no_sanitize_address, gnu::no_sanitize_thread]] std::uint64_t word_at(
    const std::byte* at) noexcept {
  return *reinterpret_cast<const volatile std::uint64_t*>(at);
}

[[gnu::no_sanitize_address, gnu::no_sanitize_thread]] void paint_words(
    std::byte* from, const std::byte* to) noexcept {
  for (; from < to; from += sizeof paint) {
    *reinterpret_cast<volatile std::uint64_t*>(from) = paint;
  }
}

const std::byte* first_not(std::uint64_t value, const std::byte* from,
                           const std::byte* to) noexcept {
  while (from < to && word_at(from) == value) from += sizeof value;
  return from;
}
}  // namespace

void paint_stack(const stack& s, const std::byte* sp) noexcept {
  std::byte* const end = page_above(s.hi);
  residency resident(s.lo, end);
  for (std::byte* page = s.lo; page < sp; page += page_size) {
    if (!resident.has(page)) continue;
    paint_words(page, page + page_size < sp ? page + page_size : sp);
  }
}

std::size_t used_of_stack(const stack& s) noexcept {
  residency resident(s.lo, page_above(s.hi));
  bool below_painted = false;
  for (std::byte* page = s.lo; page < s.hi; page += page_size) {
    if (!resident.has(page)) {
      below_painted = false;
      continue;
    }
    const std::byte* const end = page + page_size < s.hi ? page + page_size : s.hi;
    const std::byte* deepest = first_not(paint, page, end);
    if (deepest == end) {
      below_painted = true;
      continue;
    }
    // Zero in the lowest word: the rest of a new page, unless pages are painted down there.
    if (deepest == page && !below_painted && word_at(page) == 0) {
      deepest = first_not(0, page, end);
      if (deepest == end) deepest = page;
    }
    return static_cast<std::size_t>(s.hi - deepest);
  }
  return 0;
}
}  // namespace weft::detail
