#pragma once

// Contexts on x86-64, with the instructions of asm/x86_64.S, where the stack pictures are.

#include <cstddef>
#include <cstdint>
#include <new>

#include "../../../asm/x86_64_layout.h"
#include "context/context.hpp"

namespace weft::detail {

// What lies at context::sp. Written by weft_switch, or by prepare().
struct saved_frame {
  std::uintptr_t rbp, rip;
};
static_assert(offsetof(saved_frame, rbp) == WEFT_FRAME_RBP);
static_assert(offsetof(saved_frame, rip) == WEFT_FRAME_RIP);
static_assert(sizeof(saved_frame) == WEFT_FRAME_CFA);

inline constexpr frame_offsets suspended_frame{
    .fp = WEFT_FRAME_RBP, .pc = WEFT_FRAME_RIP, .sp = WEFT_FRAME_CFA};

struct fresh_frame {
  saved_frame saved;
  std::uintptr_t entry;
};
static_assert(offsetof(fresh_frame, entry) == WEFT_FRESH_ENTRY);
static_assert(sizeof(fresh_frame) == WEFT_FRESH_SIZE);

struct fp_env {
  std::uint32_t mxcsr = 0x1f80;
  std::uint16_t x87_cw = 0x37f;
};
static_assert(offsetof(fp_env, mxcsr) == WEFT_FP_ENV_MXCSR);
static_assert(offsetof(fp_env, x87_cw) == WEFT_FP_ENV_X87_CW);

extern "C" {
void weft_context_entry() noexcept;  // not callable: where a fresh context begins
void* weft_hop(context* from, context to, void* arg) noexcept;
void weft_fp_env_save(fp_env* env) noexcept;
void weft_fp_env_load(const fp_env* env) noexcept;
}

inline context prepare(std::byte* stack_top, entry_fn entry) noexcept {
  return {::new (stack_top - WEFT_FRESH_SIZE) fresh_frame{
      {0, reinterpret_cast<std::uintptr_t>(&weft_context_entry) + WEFT_ENTRY_LANDING},
      reinterpret_cast<std::uintptr_t>(entry)}};
}

#ifndef WEFT_NO_RED_ZONE
#error "compile with -mno-red-zone: a switch pushes where the function around it may keep values"
#endif

// Every register but rsp, rbp and those that switch_to passes its arguments in: what a call may
// destroy, and what it may not, which the function around the switch then saves for its caller.
#ifdef __AVX512F__
#define WEFT_CLOBBERS_AVX512                                                                    \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",   \
      "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", \
      "k6", "k7"
#else
#define WEFT_CLOBBERS_AVX512
#endif
#define WEFT_CLOBBERS                                                                              \
  "rbx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3",     \
      "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", \
      "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc",          \
      "memory" WEFT_CLOBBERS_AVX512

// Not a call, because the processor's return predictor would be left with an entry that no ret
// takes, and every later ret of the resumed side would miss: a yield from one frame deep costs 6 ns
// so, 19 ns with a call. All that moves registers is in asm/x86_64.S; here are only the two
// instructions that stand for the call.
inline void* switch_to(context* from, context to, after_fn after, void* arg) noexcept {
  asm volatile(
      "leaq 1f(%%rip), %%r8\n\t"
      "jmp weft_switch\n"
      "1:\tendbr64"
      : "+D"(from), "+S"(to.sp), "+d"(after), "+a"(arg)
      :
      : "rcx", WEFT_CLOBBERS);
  return arg;
}

[[noreturn, gnu::no_sanitize_address]] inline void switch_away(context* from, context to,
                                                               after_fn after, void* arg) noexcept {
  asm volatile("jmp weft_switch_away" : : "D"(from), "S"(to.sp), "d"(after), "a"(arg) : "memory");
  __builtin_unreachable();
}

#undef WEFT_CLOBBERS
#undef WEFT_CLOBBERS_AVX512

inline void* hop(context* from, context to, void* arg) noexcept {
  return weft_hop(from, to, arg);
}

inline void fp_env_save(fp_env* env) noexcept {
  weft_fp_env_save(env);
}
inline void fp_env_load(const fp_env* env) noexcept {
  weft_fp_env_load(env);
}

}  // namespace weft::detail
