#pragma once

// What register_audit.S sees of a switch from both sides. The offsets are known there.

#include <cstddef>
#include <cstdint>

#include "context/context.hpp"

namespace weft::test {

// The registers that a called function keeps, in this order. A switch keeps rbp and rsp of them;
// the function around it sees to the others.
struct audited_state {
  std::uint64_t rbx, rbp, r12, r13, r14, r15, rsp;
  bool operator==(const audited_state&) const = default;
};
static_assert(offsetof(audited_state, rsp) == 48);

// What the code that the switch runs on the new stack, fresh entries and after functions, found.
struct arrival {
  std::uint64_t rsp, rbp, rdi, rsi;
};

extern "C" {

// Loads *before (but rsp) into the registers, switches as switch_to does, and stores what it is
// resumed with in *after_state; rsp of both is what it had. Returns the arg of the switch that
// resumed it. `skew`: bytes, 0 or 8, by which its rsp misses a multiple of 16.
void* audited_switch(detail::context* from, void* to, detail::after_fn after, void* arg,
                     audited_state* before, audited_state* after_state, std::uint64_t skew);

// The same, but calls switch_called, a function that switches. `skew` is 0.
void* audited_call(detail::context* from, void* to, detail::after_fn after, void* arg,
                   audited_state* before, audited_state* after_state, std::uint64_t skew);
void* switch_called(detail::context* from, void* to, detail::after_fn after, void* arg);

// The same, but calls detail::hop, which has no after function.
void* audited_hop(detail::context* from, void* to, detail::after_fn, void* arg,
                  audited_state* before, audited_state* after_state, std::uint64_t skew);

// A detail::entry_fn: records an arrival at the address in arg, then calls audit_entered(arg).
void audited_entry(void* arg) noexcept;
[[noreturn]] void audit_entered(void* arg) noexcept;

// A detail::after_fn: records an arrival at the address in arg, and destroys every register that
// a called function may destroy.
void audited_after(void* arg, detail::context* from) noexcept;

}  // extern "C"

}  // namespace weft::test
