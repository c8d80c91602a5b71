#include "base/stack_walk.hpp"

#include <utility>

#include "base/peek.hpp"

#include "frames.hpp"

namespace weft::detail {
namespace {
constexpr std::size_t word = sizeof(std::uintptr_t);
// How far a guess looks: the largest frames of libc are 33 KB, usual ones below 1 KB.
constexpr std::size_t reach = 16 * 1024;
// Up to this size a frame is taken to be one; in a larger one, a few guesses are made first.
constexpr std::size_t usual = 512;
constexpr std::size_t most_guesses = 8;

std::uintptr_t load(std::uintptr_t at) noexcept {
  return peek(*reinterpret_cast<const std::uintptr_t*>(at));
}
// A return address that lies there.
std::uintptr_t load_return(std::uintptr_t at) noexcept {
  return machine::code_address(load(at));
}
}  // namespace

stack_walk::registers stack_walk::interrupted(const void* context) noexcept {
  return machine::interrupted(*static_cast<const ucontext_t*>(context));
}

bool stack_walk::add(std::uintptr_t pc, bool guessed) noexcept {
  // A function that has saved its return address and called nothing since still has it in the link
  // register: one frame, found twice.
  const bool found_twice = std::exchange(in_link_, false);
  if (count_ > 0 && frames_[count_ - 1].pc == pc) {
    if (!found_twice) ++frames_[count_ - 1].repeated;
    frames_[count_ - 1].guessed &= guessed;
    return true;
  }
  if (count_ == most) return false;
  frames_[count_++] = {pc, 0, guessed};
  return true;
}

stack_walk::stack_walk(const module_map& code, registers from, const std::byte* low,
                       const std::byte* high) noexcept {
  if (from.pc == 0) return;  // an architecture of which nothing is known
  const auto lo = reinterpret_cast<std::uintptr_t>(low);
  const auto hi = reinterpret_cast<std::uintptr_t>(high);
  // Whatever is below has been looked at.
  std::uintptr_t at = from.sp > lo ? (from.sp + word - 1) & ~(word - 1) : lo;
  std::uintptr_t fp = from.fp;
  add(from.pc, false);
  // The caller of a function that has not saved its return address yet; or one that it has called.
  const std::uintptr_t link = machine::code_address(from.link);
  if (link != 0 && code.is_after_call(link)) in_link_ = add(link - 1, true);
  std::size_t guesses = 0;
  while (at < hi) {
    const bool linked = fp >= at && fp % word == 0 && fp <= hi - 2 * word &&
                        (code.empty() || code.is_code(load_return(fp + word)));
    // A far link is one over the heads of functions that leave the frame pointer alone.
    if (!linked || (fp - at > usual && guesses < most_guesses)) {
      const std::uintptr_t limit = linked ? fp : hi;
      const std::uintptr_t end = limit - at > reach ? at + reach : limit;
      std::uintptr_t found = at;
      while (found < end && !code.is_after_call(load_return(found))) found += word;
      if (found < end) {
        const std::size_t before = count_;
        if (!add(load_return(found) - 1, true)) return;
        guesses += count_ - before;
        // The word below may be the frame pointer that the guessed function has saved.
        const std::uintptr_t saved = found > at ? load(found - word) : 0;
        if (!linked || (saved > found && saved < fp)) fp = saved;
        at = found + word;
        continue;
      }
      if (!linked) return;
    }
    if (!add(load_return(fp + word) - 1, false)) return;
    at = fp + 2 * word;
    fp = load(fp);
    if (fp == 0) return;  // the outermost frame
  }
}
}  // namespace weft::detail
