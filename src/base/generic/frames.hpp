#pragma once
#include <ucontext.h>

#include "base/stack_walk.hpp"

// Stacks and calls of an architecture of which nothing is known: reports name the fiber, and have
// no frames.
namespace weft::detail::machine {
inline stack_walk::registers interrupted(const ucontext_t&) noexcept {
  return {};
}

inline constexpr std::size_t longest_call = 0;
inline bool is_call_before(const unsigned char*) noexcept {
  return false;
}

inline std::uintptr_t code_address(std::uintptr_t saved) noexcept {
  return saved;
}
}  // namespace weft::detail::machine
