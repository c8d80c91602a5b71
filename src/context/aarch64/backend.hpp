#pragma once

// Contexts on AArch64, with the instructions of asm/aarch64.S, where the stack pictures are.

#include <cstddef>
#include <cstdint>
#include <new>

#include "../../../asm/aarch64_layout.h"
#include "context/context.hpp"

namespace weft::detail {

// What lies at context::sp. Written by weft_switch, or by prepare().
struct saved_frame {
  std::uintptr_t x29, x30;
};
static_assert(offsetof(saved_frame, x29) == WEFT_FRAME_X29);
static_assert(offsetof(saved_frame, x30) == WEFT_FRAME_X30);
static_assert(sizeof(saved_frame) == WEFT_FRAME_CFA);

inline constexpr frame_offsets suspended_frame{
    .fp = WEFT_FRAME_X29, .pc = WEFT_FRAME_X30, .sp = WEFT_FRAME_CFA};

struct fresh_frame {
  saved_frame saved;
  std::uintptr_t entry, nothing;
};
static_assert(offsetof(fresh_frame, entry) == WEFT_FRESH_ENTRY);
static_assert(sizeof(fresh_frame) == WEFT_FRESH_SIZE);

struct fp_env {
  std::uint64_t fpcr = 0;
};
static_assert(offsetof(fp_env, fpcr) == WEFT_FP_ENV_FPCR);

extern "C" {
void weft_context_entry() noexcept;  // not callable: where a fresh context begins
void weft_fp_env_save(fp_env* env) noexcept;
void weft_fp_env_load(const fp_env* env) noexcept;
}

inline context prepare(std::byte* stack_top, entry_fn entry) noexcept {
  return {::new (stack_top - WEFT_FRESH_SIZE) fresh_frame{
      {0, reinterpret_cast<std::uintptr_t>(&weft_context_entry) + WEFT_ENTRY_LANDING},
      reinterpret_cast<std::uintptr_t>(entry),
      0}};
}

// Every register but sp, x29 and those that switch_to passes its arguments in: what a call may
// destroy, and what it may not, which the function around the switch then saves for its caller. x18
// is named though nothing here touches it: on Linux it is a register like x17, and the code that
// runs meanwhile may use it so. The vector registers are whole SVE ones where there are such.
#define WEFT_CLOBBERS                                                                            \
  "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",    \
      "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0",  \
      "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14",   \
      "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", \
      "v28", "v29", "v30", "v31", "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9",    \
      "p10", "p11", "p12", "p13", "p14", "p15", "cc", "memory"

// Not a call, because the processor's return predictor would be left with an entry that no ret
// takes, and every later ret of the resumed side would miss. All that moves registers is in
// asm/aarch64.S; here are only the two instructions that stand for the call.
inline void* switch_to(context* from, context to, after_fn after, void* arg) noexcept {
  register void* x0 asm("x0") = arg;
  register context* x1 asm("x1") = from;
  register void* x2 asm("x2") = to.sp;
  register after_fn x3 asm("x3") = after;
  asm volatile(
      "adr x30, 1f\n\t"
      "b weft_switch\n"
      "1:\thint #36"  // bti j, as assemblers for older cores know it too
      : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
      :
      : WEFT_CLOBBERS);
  return x0;
}

[[noreturn, gnu::no_sanitize_address]] inline void switch_away(context* from, context to,
                                                               after_fn after, void* arg) noexcept {
  register void* x0 asm("x0") = arg;
  register context* x1 asm("x1") = from;
  register void* x2 asm("x2") = to.sp;
  register after_fn x3 asm("x3") = after;
  asm volatile("b weft_switch_away" : : "r"(x0), "r"(x1), "r"(x2), "r"(x3) : "memory");
  __builtin_unreachable();
}

#undef WEFT_CLOBBERS

// By ret and not by br, which may not land behind a call where branches are checked; it is
// predicted wrongly.
inline void* hop(context* from, context to, void* arg) noexcept {
  return switch_to(from, to, nullptr, arg);
}

inline void fp_env_save(fp_env* env) noexcept {
  weft_fp_env_save(env);
}
inline void fp_env_load(const fp_env* env) noexcept {
  weft_fp_env_load(env);
}

}  // namespace weft::detail
