#pragma once
#include <ucontext.h>

#include <cstring>

#include "base/stack_walk.hpp"

// What stacks and calls look like on AArch64. Signal-safe.
namespace weft::detail::machine {
// Of the code that a signal interrupted. A function that has saved nothing yet, as one whose first
// store runs into a guard, has its return address in x30 alone.
inline stack_walk::registers interrupted(const ucontext_t& context) noexcept {
  const auto& saved = context.uc_mcontext;
  return {saved.pc, saved.sp, saved.regs[29], saved.regs[30]};
}

inline constexpr std::size_t longest_call = 4;

// Whether the bytes before `end`, longest_call at least, are a call.
inline bool is_call_before(const unsigned char* end) noexcept {
  if (reinterpret_cast<std::uintptr_t>(end) % 4 != 0) return false;
  std::uint32_t instruction;
  std::memcpy(&instruction, end - 4, sizeof instruction);
  return (instruction & 0xfc00'0000) == 0x9400'0000 ||  // bl
         (instruction & 0xffff'fc1f) == 0xd63f'0000 ||  // blr
         (instruction & 0xfeff'f800) == 0xd63f'0800;    // blraa, blrab and those with a zero
}

// The address that a saved return address stands for: without the signature in its upper bits, if
// it was compiled with -mbranch-protection. xpaclri, spelled as the hint that older cores ignore.
inline std::uintptr_t code_address(std::uintptr_t saved) noexcept {
  asm("mov x30, %0\n\thint #7\n\tmov %0, x30" : "+r"(saved) : : "x30");
  return saved;
}
}  // namespace weft::detail::machine
