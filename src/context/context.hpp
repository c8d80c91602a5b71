#pragma once

// A suspended computation and the switch between two of them. Nothing here knows about fibers,
// threads or scheduling: one context is resumed by at most one thread at a time, and seeing to that
// is the caller's business. What is here every backend promises; how it does so is in its folder,
// of which CMake chooses one (WEFT_CONTEXT).

#include <cstddef>

namespace weft::detail {

// Where the saved registers of a suspended computation are. Meaningless while it runs.
struct context {
  void* sp = nullptr;
};

// Runs on the stack of `to`, after `from` is completely saved and before anything of `to`
// continues. The only safe place to let somebody else resume or free `from`. Must not switch, park
// or throw.
using after_fn = void (*)(void* arg, context* from) noexcept;

// First function of a fresh context. `arg` is that of the switch that first resumed it. Must leave
// by switch_away.
using entry_fn = void (*)(void* arg) noexcept;

// A context that begins at entry(arg), on the stack that ends at stack_top (a multiple of 16).
// Touches only what lies directly below stack_top.
context prepare(std::byte* stack_top, entry_fn entry) noexcept;

// Saves the running computation in *from, resumes `to`, and runs after(arg, from) there unless
// after is null. Returns when somebody resumes *from, with the `arg` of that switch: so the resumed
// side learns its carrier without reading a thread-local. `to` is by value: it may be a copy of
// what *from held.
void* switch_to(context* from, context to, after_fn after, void* arg) noexcept;

// Leaves the running computation for good. `from` is not written, only handed to after, which may
// free the stack left. Under AddressSanitizer the caller sees to what its abandoned frames have
// poisoned.
[[noreturn]] void switch_away(context* from, context to, after_fn after, void* arg) noexcept;

// switch_to without `after`, for two sides that take turns from different places, as a caller and a
// generator do: best at the very end of a function, which it leaves to the caller of the other
// side's without a return that is predicted wrongly.
void* hop(context* from, context to, void* arg) noexcept;

// The floating-point control words: rounding, exception masks, flush-to-zero. Default: those of a
// new thread.
struct fp_env;

// Store and set the running thread's words. For fibers that declare fiber_options::fp_env, around
// their switches.
void fp_env_save(fp_env* env) noexcept;
void fp_env_load(const fp_env* env) noexcept;

// Where a suspended context has what a walk over its stack begins with, in bytes from context::sp.
struct frame_offsets {
  std::size_t fp;  // the frame pointer is there
  std::size_t pc;  // the address where it goes on is there
  std::size_t sp;  // the stack pointer that it goes on with is that address
};

}  // namespace weft::detail

#include "backend.hpp"  // defines all of it, inline, and suspended_frame
