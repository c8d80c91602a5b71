#pragma once

// What register_audit.S sees of a switch from both sides. The offsets are known there.

#include <cstddef>
#include <cstdint>

#include "context/context.hpp"

namespace weft::test {

// The registers that a called function keeps, in this order. A switch keeps x29 and sp of them; the
// function around it sees to the others.
struct audited_state {
  std::uint64_t x19_to_x28[10];
  std::uint64_t x29, sp;
  std::uint64_t d8_to_d15[8];
  bool operator==(const audited_state&) const = default;
};
static_assert(offsetof(audited_state, x29) == 80 && offsetof(audited_state, sp) == 88);
static_assert(offsetof(audited_state, d8_to_d15) == 96);

// What the code that the switch runs on the new stack, fresh entries and after functions, found.
struct arrival {
  std::uint64_t sp, x29, x0, x1;
};

extern "C" {

// Loads *before (but sp) into the registers, switches as switch_to does, and stores what it is
// resumed with in *after_state; sp of both is what it had. Returns the arg of the switch that
// resumed it.
void* audited_switch(detail::context* from, void* to, detail::after_fn after, void* arg,
                     audited_state* before, audited_state* after_state);

// The same, but calls switch_called, a function that switches.
void* audited_call(detail::context* from, void* to, detail::after_fn after, void* arg,
                   audited_state* before, audited_state* after_state);
void* switch_called(detail::context* from, void* to, detail::after_fn after, void* arg);

// A detail::entry_fn: records an arrival at the address in arg, then calls audit_entered(arg).
void audited_entry(void* arg) noexcept;
[[noreturn]] void audit_entered(void* arg) noexcept;

// A detail::after_fn: records an arrival at the address in arg, and destroys every register that
// a called function may destroy.
void audited_after(void* arg, detail::context* from) noexcept;

}  // extern "C"

}  // namespace weft::test
