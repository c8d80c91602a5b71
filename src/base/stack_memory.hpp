#pragma once
#include <cstddef>

namespace weft::detail {
// [low, high) is a fiber's stack from now on, for good. Any thread; once for each stack, never at a
// switch.
//
// LeakSanitizer, with or without AddressSanitizer, is told that what a parked fiber points to from
// there is no leak. Valgrind is told that moving the stack pointer there is a switch, and no huge
// frame that came into being, whose bytes would all be undefined.
void announce_stack_memory(std::byte* low, std::byte* high) noexcept;

// [low, high), inside a stack that nobody is on, is about to be written to: a former user of the
// stack may have popped it, and for Valgrind it is nobody's since.
void revive_stack_memory(std::byte* low, std::byte* high) noexcept;
}  // namespace weft::detail
