#pragma once
#include <cstdint>

#include "base/syscount.hpp"
#include "chaos.hpp"

// The only thread-local state of the library, and the only way to it.
//
// A fiber may park on one kernel thread and resume on another, but a compiler may compute the
// address of a thread-local once and keep it across the call in between. So no code holds such an
// address: current() is an opaque call in an object file of its own (the policy test reads the
// relocations), and its result is not used across a switch.
namespace weft::detail {
struct control_block;
struct processor;
struct carrier;
struct fork_lane;
class explorer;
class signal_stack;
struct computation;
struct local_values;

// What the C++ runtime keeps for each thread about exceptions in flight: the Itanium C++ ABI's
// __cxa_eh_globals (section 2.2.2). Each fiber has its own, swapped when fibers are.
struct exception_state {
  void* caught = nullptr;
  unsigned int uncaught = 0;
  // The ABI's padding. In a parked fiber's copy: about when it parked (processor::stamp). Copied
  // along in one instruction with the rest, and without meaning in the thread's own.
  unsigned int since = 0;
};

struct thread_header {
  control_block* fiber = nullptr;  // the fiber running here; null on a plain thread, while idle
  processor* held = nullptr;       // the processor this thread may touch; null: none
  carrier* self = nullptr;         // null: not a thread of a runtime
  int* errno_address = nullptr;    // taken once by adopt_thread(), valid for the thread's life
  exception_state* exceptions = nullptr;
  // > 0: runtime code is at work on `held`, which must not be taken away. Entered before every
  // touch of the processor; a switch happens inside one and the resumed side leaves it.
  std::uint32_t section = 0;
  control_block* stand_in = nullptr;  // what waits in a plain thread's name, made on first use
  sys_counts* syscalls = nullptr;     // null: the shared ones
  [[no_unique_address]] chaos::thread_state chaotic;
  // Where the fiber that runs here offers branches to thieves; null: not yet, or it must not,
  // or there is none.
  fork_lane* lane = nullptr;
  explorer* exploring = nullptr;  // this thread runs weft::testing::explore; see sched/explorer.hpp
  control_block* lent = nullptr;  // the fiber inside blocking() here, while `fiber` is null

  // -- a plain thread's own, or of code inside blocking(); a fiber has the like in its block
  computation* inside = nullptr;   // the innermost weft::context that runs here
  local_values* locals = nullptr;  // made on first use
  signal_stack* alternate = nullptr;
  bool resumes_contexts = false;  // what that takes is there
};

// What ends with a kernel thread, in this order.
enum class thread_end : unsigned { locals, stand_in, alternate, count_ };

// The header of the calling kernel thread. Never keep it over a park.
[[nodiscard]] thread_header* current() noexcept;

// Fills in the addresses. A carrier calls it first thing, a plain thread before its first wait.
void adopt_thread(thread_header*) noexcept;

// When the calling thread ends, `end` is called with its header: for each `what` the same function
// each time. 0, or the error of POSIX for thread-specific data: then nothing is called.
int at_thread_end(thread_header*, thread_end what, void (*end)(thread_header*) noexcept) noexcept;
}  // namespace weft::detail
