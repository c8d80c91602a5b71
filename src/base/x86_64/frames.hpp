#pragma once
#include <ucontext.h>

#include <initializer_list>

#include "base/stack_walk.hpp"

// What stacks and calls look like on x86-64. Signal-safe.
namespace weft::detail::machine {
// Of the code that a signal interrupted. A return address is never in a register alone.
inline stack_walk::registers interrupted(const ucontext_t& context) noexcept {
  const auto& saved = context.uc_mcontext.gregs;
  const auto reg = [&](int which) { return static_cast<std::uintptr_t>(saved[which]); };
  return {reg(REG_RIP), reg(REG_RSP), reg(REG_RBP), 0};
}

inline constexpr std::size_t longest_call = 7;

// Whether the bytes before `end`, longest_call at least, are a call.
inline bool is_call_before(const unsigned char* end) noexcept {
  if (end[-5] == 0xe8) return true;  // to a fixed place
  // ff /2: through a register or memory, 2 to 7 bytes with the operand's address.
  for (const int n : {2, 3, 4, 6, 7}) {
    if (end[-n] == 0xff && (end[-n + 1] & 0x38) == 0x10) return true;
  }
  return false;
}

// The address that a saved return address stands for.
inline std::uintptr_t code_address(std::uintptr_t saved) noexcept {
  return saved;
}
}  // namespace weft::detail::machine
