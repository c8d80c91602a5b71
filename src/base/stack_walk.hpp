#pragma once
#include <cstddef>
#include <cstdint>

#include "base/modules.hpp"

namespace weft::detail {
// Who called whom on a stack that may be damaged. Follows frame pointers, reads nothing outside of
// [lo, hi) but code, takes no lock. Not the unwinder: its tables are found through the dynamic
// linker, and it trusts what lies on the stack.
//
// Where the chain breaks, in code compiled without frame pointers as most libraries are, the words
// further up are searched for a return address: such a frame is `guessed`, and may be one that
// returned long ago.
class stack_walk {
 public:
  static constexpr std::size_t most = 32;
  struct frame {
    std::uintptr_t pc = 0;     // of callers: within the call, not after it
    std::size_t repeated = 0;  // so many more of the same follow: a recursion
    bool guessed = false;
  };

  struct registers {
    std::uintptr_t pc, sp, fp;
    std::uintptr_t link;  // a return address that may not be on the stack yet; 0: there is none
  };
  // Of the code that a signal handler has interrupted; `context` is the handler's third argument.
  static registers interrupted(const void* context) noexcept;

  stack_walk(const module_map& code, registers from, const std::byte* lo,
             const std::byte* hi) noexcept;
  const frame* begin() const noexcept { return frames_; }
  const frame* end() const noexcept { return frames_ + count_; }

 private:
  bool add(std::uintptr_t pc, bool guessed) noexcept;  // false: no room

  frame frames_[most];
  std::size_t count_ = 0;
  bool in_link_ = false;  // the last frame is of the link register, and may be on the stack too
};
}  // namespace weft::detail
