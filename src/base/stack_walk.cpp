#include "base/stack_walk.hpp"

#include <cstring>

namespace weft::detail {
namespace {
constexpr std::size_t word = sizeof(std::uintptr_t);
// How far a guess looks: the largest frames of libc are 33 KB, usual ones below 1 KB.
constexpr std::size_t reach = 16 * 1024;

std::uintptr_t load(std::uintptr_t at) noexcept {
  std::uintptr_t value = 0;
  std::memcpy(&value, reinterpret_cast<const void*>(at), word);
  return value;
}
}  // namespace

bool stack_walk::add(std::uintptr_t pc, bool guessed) noexcept {
  if (count_ > 0 && frames_[count_ - 1].pc == pc) {
    ++frames_[count_ - 1].repeated;
    return true;
  }
  if (count_ == most) return false;
  frames_[count_++] = {pc, 0, guessed};
  return true;
}

stack_walk::stack_walk(const module_map& code, registers from, const std::byte* low,
                       const std::byte* high) noexcept {
  const auto lo = reinterpret_cast<std::uintptr_t>(low);
  const auto hi = reinterpret_cast<std::uintptr_t>(high);
  // Whatever is below has been looked at.
  std::uintptr_t at = from.sp > lo ? (from.sp + word - 1) & ~(word - 1) : lo;
  std::uintptr_t fp = from.fp;
  add(from.pc, false);
  while (at < hi) {
    if (fp >= at && fp % word == 0 && fp <= hi - 2 * word &&
        (code.empty() || code.is_code(load(fp + word)))) {
      if (!add(load(fp + word) - 1, false)) return;
      at = fp + 2 * word;
      fp = load(fp);
      if (fp == 0) return;  // the outermost frame
      continue;
    }
    const std::uintptr_t end = hi - at > reach ? at + reach : hi;
    std::uintptr_t found = at;
    while (found < end && !code.is_after_call(load(found))) found += word;
    if (found >= end || !add(load(found) - 1, true)) return;
    if (found > at) fp = load(found - word);  // a frame pointer, or it will be refused above
    at = found + word;
  }
}
}  // namespace weft::detail
