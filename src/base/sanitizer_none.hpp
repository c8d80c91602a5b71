// The hooks of base/sanitizer.hpp in a plain build: included by it, and by nothing else.
#pragma once
#include "base/race_none.hpp"

namespace weft::detail {
inline constexpr bool address_sanitizer = false;

// The stack that a kernel thread was born with.
struct thread_stack {
  static thread_stack here() noexcept { return {}; }
};

// What is switched to.
struct stack_bounds {
  stack_bounds(const void*, const void*, const race_clock&) noexcept {}
  explicit stack_bounds(thread_stack) noexcept {}
};

// One switch. Lives in the frame that switches: made right before, told right after.
class announced_switch {
 public:
  explicit announced_switch(stack_bounds) noexcept {}
  void returned() noexcept {}
};

// First thing on a fresh stack.
inline void announce_fresh_stack() noexcept {}

// Right before the last switch of a stack that ends at `high`: its fake stack goes, and what the
// frames that are left behind have poisoned is cleared; its clock goes. The caller must not be
// instrumented: its locals might lie on the fake stack.
inline void announce_last_switch(stack_bounds, const void* /*high*/) noexcept {}

// Memory of a stack that nobody is on is used for something else: what frames have poisoned there
// is cleared.
inline void forget_frames(void* /*low*/, std::size_t /*size*/) noexcept {}

// A context is resumed and gives way again: to those who watch, a call on a stack of its own, made
// by one fiber or thread after another, and ordered like any call. One for each context.
class announced_visits {
 public:
  void begin() noexcept {}  // before it is resumed first
  void end() noexcept {}    // nobody is on its stack, and nobody will be
  race_clock clock() const noexcept { return {}; }

  // One visit. Lives in the frame that resumes: made right before, told right after.
  class visit {
   public:
    visit(announced_visits&, const void* /*low*/, const void* /*high*/) noexcept {}
    void returned() noexcept {}
  };
  // First thing on the context's fresh stack.
  void arrived() noexcept {}
  // Giving way. Lives in the frame that does: made right before, told when it is resumed.
  class absence {
   public:
    explicit absence(announced_visits&) noexcept {}
    void returned() noexcept {}
  };
  // As announce_last_switch.
  void leave(const void* /*high*/) noexcept {}
};
}  // namespace weft::detail
