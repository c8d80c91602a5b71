#pragma once
#include <cstddef>
#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "base/clock.hpp"
#include "base/current.hpp"
#include "chaos.hpp"
#include "context/context.hpp"
#include "fiber/state.hpp"
#include "stack/stack.hpp"

// Everything weft knows about one fiber, apart from its stack. Lives in type-stable slabs: a block
// is recycled, never unmapped, so that a late waker holding {block, epoch} reads a word that tells
// it so.
//
// A kernel thread that waits (joins, runs, sleeps) is stood in for by a block of its own: the same
// word, the same claim; only making it ready differs (a futex instead of a run queue).
namespace weft::detail {
struct runtime_core;
struct fiber_extras;
struct cancel_frame;

// What `waits_on` is: join: the other block; sleep: the deadline; readable, writable: the fd; poll:
// the array; blocking: the gate or, inside, the number that the kernel gave the thread; fork_join:
// null; from `mutex` on: the object.
enum class wait_kind : std::uint8_t {
  none,
  join,
  sleep,
  readable,
  writable,
  blocking,
  fork_join,  // for branches that others run
  event,
  poll,
  mutex,
  condition,
  semaphore,
  latch,
  barrier,
  future,
  send,
  receive,
  select,
  scope,
  once
};

namespace fiber_flag {
inline constexpr std::uint8_t started = 1;        // has a stack and has run
inline constexpr std::uint8_t fp_env = 2;         // its floating-point control words travel along
inline constexpr std::uint8_t pinned = 4;         // resumes only on extras->pinned_to
inline constexpr std::uint8_t kernel_thread = 8;  // a stand-in: woken by futex
inline constexpr std::uint8_t has_locals = 16;    // fiber_locals of its own, or inherited ones
inline constexpr std::uint8_t observed = 64;      // somebody watches: sched/observe.hpp
inline constexpr std::uint8_t batch_woken = 128;  // observed, and woken with others
inline constexpr std::uint8_t pin_at_start = 32;  // pinned to the kernel thread that first runs it
inline constexpr std::uint8_t forked = 32;        // once it runs: below a cancel_frame, in `frame`
// What whoever switches away from a running fiber must see to, in one test: leave_slow.
inline constexpr std::uint8_t when_left = fp_env | forked;
}  // namespace fiber_flag

// A return address in the place of site_file. That it is one is in the word itself: whoever looks
// at a block as it changes hands must never take an address for a string.
inline constexpr std::uintptr_t address_mark = std::uintptr_t{1} << 63;
inline const char* address_as_site(const void* address) noexcept {
  return reinterpret_cast<const char*>(reinterpret_cast<std::uintptr_t>(address) | address_mark);
}

namespace cancel_bit {
inline constexpr std::uint32_t stop_requested = 1;  // sticky
inline constexpr std::uint32_t frame_stopped = 2;   // what it runs below is: fiber/cancel_frame.hpp
inline constexpr std::uint32_t any = stop_requested | frame_stopped;
}  // namespace cancel_bit

struct alignas(cache_line) control_block {
  // -- what a switch and a wake touch
  // ---------------------------------------------------------------
  context ctx;  // meaningful while suspended
  wait_word word;
  control_block* next = nullptr;  // link of the one queue or free list the block is on
  stack stk;                      // bound at the first run, gone at the end (D4)
  exception_state exceptions;     // saved while suspended
  int saved_errno = 0;            // saved while suspended
  stack_class size_class = 0;
  std::uint8_t flags = 0;  // fiber_flag; written by the spawner before publication, then owner
  wait_kind waits_for = wait_kind::none;
  // Owner. `shielded`: a cancel_shield lives. `deadline_level`: exceptions in flight when the
  // innermost deadline_scope was made.
  std::uint8_t shielded : 1 = 0;
  std::uint8_t deadline_level : 7 = 0;

  // -- joining, cancelling, accounting
  // --------------------------------------------------------------
  atomic<runtime_core*> rt{nullptr};
  atomic<control_block*> joiner{nullptr};         // see time/join.cpp
  atomic<wait_word::epoch_type> joiner_epoch{0};  // valid while `joiner` is a block
  atomic<std::uint32_t> cancel{0};                // cancel_bit; any thread sets
  std::uint32_t site_line = 0;
  const void* waits_on = nullptr;         // for dumps: the object, or the fd as a number
  nanos deadline = never;                 // innermost deadline_scope
  atomic<fiber_extras*> extras{nullptr};  // what few fibers need; made by whoever needs it first
  atomic<std::uint64_t> serial{0};        // fiber::id; 0: nobody lives here

  // -- what it runs
  // ---------------------------------------------------------------------------------
  union {
    void (*invoke)(void* closure) = nullptr;  // runs the closure and destroys it: until it begins
    cancel_frame* frame;                      // the innermost, while `forked`
  };
  const char* site_file = nullptr;  // or a return address: address_as_site
  static constexpr std::size_t closure_size = 48;
  alignas(16) std::byte closure[closure_size] = {};  // larger callables: a pointer to the heap
  [[no_unique_address]] chaos::trail trail;          // owner
  [[no_unique_address]] race_clock clock;
};
static_assert(sizeof(control_block) ==
              (3 + chaos::trail::lines + (thread_sanitizer ? 1 : 0)) * cache_line);
static_assert(offsetof(control_block, rt) == cache_line);
static_assert(offsetof(control_block, invoke) == 2 * cache_line);

// Values of control_block::joiner that are not a block.
inline control_block* const joiner_finished = reinterpret_cast<control_block*>(std::uintptr_t{1});
inline control_block* const joiner_detached = reinterpret_cast<control_block*>(std::uintptr_t{2});
inline control_block* const joiner_ending = reinterpret_cast<control_block*>(std::uintptr_t{3});

// A wait that can be ended from elsewhere. Copied by value, never dereferenced without the epoch.
struct wait_token {
  control_block* block = nullptr;
  wait_word::epoch_type epoch = 0;
};
}  // namespace weft::detail
