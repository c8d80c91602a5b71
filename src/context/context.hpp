#pragma once

// A suspended computation and the switch between two of them. Nothing here knows about fibers, threads or scheduling:
// one context is resumed by at most one thread at a time, and seeing to that is the caller's business.
// The instructions, with stack pictures, are in asm/x86_64.S.

#include <cstddef>
#include <cstdint>
#include <new>

#include "../../asm/context_layout.h"

namespace weft::detail {

// Where the saved registers of a suspended computation are. Meaningless while it runs.
struct context {
  void* sp = nullptr;
};

// Runs on the stack of `to`, after `from` is completely saved and before anything of `to` continues. The only safe place
// to let somebody else resume or free `from`. Must not switch, park or throw.
using after_fn = void (*)(void* arg, context* from) noexcept;

// First function of a fresh context. `arg` is that of the switch that first resumed it. Must leave by switch_away.
using entry_fn = void (*)(void* arg) noexcept;

// What lies at context::sp. Written by weft_switch, or by prepare().
struct saved_frame {
  std::uintptr_t r15, r14, r13, r12, rbx, rbp, rip;
};
static_assert(offsetof(saved_frame, r15) == WEFT_FRAME_R15);
static_assert(offsetof(saved_frame, r14) == WEFT_FRAME_R14);
static_assert(offsetof(saved_frame, r13) == WEFT_FRAME_R13);
static_assert(offsetof(saved_frame, r12) == WEFT_FRAME_R12);
static_assert(offsetof(saved_frame, rbx) == WEFT_FRAME_RBX);
static_assert(offsetof(saved_frame, rbp) == WEFT_FRAME_RBP);
static_assert(offsetof(saved_frame, rip) == WEFT_FRAME_RIP);
static_assert(sizeof(saved_frame) == WEFT_FRAME_SIZE);

// The floating-point control words: rounding, exception masks, flush-to-zero. Defaults: those of a new thread.
struct fp_env {
  std::uint32_t mxcsr = 0x1f80;
  std::uint16_t x87_cw = 0x37f;
};
static_assert(offsetof(fp_env, mxcsr) == WEFT_FP_ENV_MXCSR);
static_assert(offsetof(fp_env, x87_cw) == WEFT_FP_ENV_X87_CW);

extern "C" {
void* weft_switch(context* from, context to, after_fn after, void* arg) noexcept;
[[noreturn]] void weft_switch_away(context* from, context to, after_fn after, void* arg) noexcept;
void weft_context_entry() noexcept;  // not callable: the resume address of a fresh context
void weft_fp_env_save(fp_env* env) noexcept;
void weft_fp_env_load(const fp_env* env) noexcept;
}

// A context that begins at entry(arg), on the stack that ends at stack_top (a multiple of 16). Touches only the frame
// just below stack_top.
inline context prepare(std::byte* stack_top, entry_fn entry) noexcept {
  auto* frame = ::new (stack_top - sizeof(saved_frame)) saved_frame{};
  frame->rbx = reinterpret_cast<std::uintptr_t>(entry);
  frame->rip = reinterpret_cast<std::uintptr_t>(&weft_context_entry);
  return {frame};
}

// Saves the running computation in *from, resumes `to`, and runs after(arg, from) there unless after is null.
// Returns when somebody resumes *from, with the `arg` of that switch: so the resumed side learns its carrier without
// reading a thread-local. `to` is by value: *from and the source of `to` may be the same object.
inline void* switch_to(context* from, context to, after_fn after, void* arg) noexcept {
  return weft_switch(from, to, after, arg);
}

// Leaves the running computation for good. `from` is not written, only handed to after, which may free the stack left.
[[noreturn]] inline void switch_away(context* from, context to, after_fn after, void* arg) noexcept {
  weft_switch_away(from, to, after, arg);
}

// Store and set the running thread's words. For fibers that declare fiber_options::fp_env, around their switches.
inline void fp_env_save(fp_env* env) noexcept { weft_fp_env_save(env); }
inline void fp_env_load(const fp_env* env) noexcept { weft_fp_env_load(env); }

}  // namespace weft::detail
