#pragma once
// What AddressSanitizer must be told by whoever switches stacks. Types and functions that are empty
// in a plain build, so that nobody else asks which build it is.
//
// It keeps for each kernel thread the bounds of the stack that runs, to know which part of its
// shadow a throw or longjmp clears, and a fake stack, where it puts locals to notice their use
// after the function's return. Both are the fiber's, and change when stacks do. From the
// announcement to the arrival it has no fake stack, and knows both stacks by their bounds: what
// runs in between, after functions included, may do anything but switch.
#ifdef __SANITIZE_ADDRESS__
#include "base/sanitizer_address.hpp"
#else
namespace weft::detail {
inline constexpr bool address_sanitizer = false;

// The stack that a kernel thread was born with.
struct thread_stack {
  static thread_stack here() noexcept { return {}; }
};

// What is switched to.
struct stack_bounds {
  stack_bounds(const void*, const void*) noexcept {}
  explicit stack_bounds(thread_stack) noexcept {}
};

// One switch. Lives in the frame that switches: made right before, told right after.
class announced_switch {
 public:
  explicit announced_switch(stack_bounds) noexcept {}
  void returned() noexcept {}
};

// Memory that is a stack from now on, for good: what a fiber that is parked when the process ends
// points to from there is no leak.
inline void announce_stack_memory(stack_bounds) noexcept {}

// First thing on a fresh stack.
inline void announce_fresh_stack() noexcept {}

// Right before the last switch of a stack that ends at `high`: its fake stack goes, and what the
// frames that are left behind have poisoned is cleared. The caller must not be instrumented: its
// locals might lie on the fake stack.
inline void announce_last_switch(stack_bounds, const void* /*high*/) noexcept {}
}  // namespace weft::detail
#endif
