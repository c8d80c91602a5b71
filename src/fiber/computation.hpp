#pragma once
#include <cstddef>
#include <exception>
#include <utility>
#include <weft/detail/computation.hpp>

#include "base/cache_line.hpp"
#include "base/sanitizer.hpp"
#include "fiber/control_block.hpp"

// What is known of one weft::context: what src/context.cpp does to it, and what reports say of it.
//
// While a fiber runs in a context, the context's stack *is* the fiber's: control_block::stk and
// clock are exchanged for the context's and put back when it gives way. So a fiber that parks there
// is resumed there, is known by its stack to sanitizers, reports and gdb, and a switch between
// fibers has nothing to do with any of this. On a plain thread thread_header::inside says which
// context runs.
namespace weft::detail {
// Lies at the very top of the context's stack, the callable below it, its first frame below that.
// Used by one fiber or thread at a time; seeing to that is the caller's business.
struct alignas(cache_line) computation {
  context self;     // null while it runs, and when it has ended
  context resumer;  // while it runs
  stack stk;
  stack outer;                       // while it runs: what the fiber's stack was before
  exception_state exceptions;        // its own, while it does not run
  exception_state around;            // its resumer's, while it runs
  computation* enclosing = nullptr;  // while it runs: thread_header::inside before
  void (*run)(computation&, void* closure, void* in) = nullptr;
  void (*drop)(void* closure) noexcept = nullptr;  // of one that never ran
  void* closure = nullptr;
  std::exception_ptr thrown;  // to be thrown where it goes on; once it has ended, what it ended by

  // Of generators, and of those that yield another's elements (src/generator.cpp).
  generation position;
  computation* parent = nullptr;    // goes on when this one has ended
  computation* delegate = nullptr;  // goes on in place of this one

  stack_class size_class = 0;
  bool begun = false;
  bool ended = false;
  bool destroying = false;  // it is resumed for the last time
  bool unwound = false;     // and has ended by context_destroyed
  [[no_unique_address]] announced_visits visits;
  [[no_unique_address]] race_clock outer_clock;
  const void* mark =
      nullptr;  // &computation_mark while the stack is a context's. Last: see computation_on
};

inline constexpr char computation_mark = 0;

// The context whose stack it is, or null: a fiber's, or nobody's. Nothing else leaves that address
// there. Signal-safe, of any stack of the arena.
inline computation* computation_on(const stack& s) noexcept {
  auto* const top = reinterpret_cast<computation*>(s.hi) - 1;
  return s && top->mark == &computation_mark ? top : nullptr;
}
}  // namespace weft::detail
