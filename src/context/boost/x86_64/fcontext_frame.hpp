#pragma once
#include "context/context.hpp"

namespace weft::detail {
// What jump_fcontext leaves on the stack, Boost 1.78 and later, System V ABI: control words, the
// stack protector's canary, r12-r15, rbx, rbp, and the address that its call has pushed. For gdb
// and dumps, whose tests notice when it changes.
inline constexpr frame_offsets suspended_frame{.fp = 0x38, .pc = 0x40, .sp = 0x48};

// In the function that a fresh context begins with, and never leaves: unwinders stop there, and do
// not go on into make_fcontext, which has no unwind rules. Walks by frame pointers stop, too.
[[gnu::always_inline]] inline void mark_outermost_frame() noexcept {
  auto** const frame = static_cast<void**>(__builtin_frame_address(0));
  frame[0] = frame[1] = nullptr;
  asm volatile(".cfi_undefined %rip");
}
}  // namespace weft::detail
