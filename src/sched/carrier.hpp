#pragma once
#include <pthread.h>

#include <cstdint>

#include "base/atomic.hpp"
#include "base/sanitizer.hpp"
#include "base/spin_lock.hpp"
#include "base/syscount.hpp"
#include "context/context.hpp"
#include "fiber/control_block.hpp"
#include "queue/task_list.hpp"

namespace weft::detail {
struct processor;
struct runtime_core;
struct observer;
struct fork_lane;

// How a carrier sleeps and is woken. The waker hands over a processor first (carrier::handed), then
// exchanges the word; what was there tells whether a system call is needed, and which.
enum class sleep_state : std::uint32_t { awake, on_futex, in_watch, notified };

// A kernel thread of a runtime. Runs fibers while it holds a processor; without one it is a spare.
// Type-stable: a waker may still be looking at one whose runtime has just ended.
struct carrier {
  runtime_core* core = nullptr;
  context loop;  // its own stack, suspended while a fiber runs
  [[no_unique_address]] thread_stack own_stack;
  pthread_t thread{};
  std::uint32_t index = 0;
  bool started = false;
  observer* seen = nullptr;  // made when the runtime is observed first; of its thread (observe.hpp)

  // -- any thread
  // ------------------------------------------------------------------------------------
  alignas(cache_line) atomic<std::uint32_t> sleep{0};  // sleep_state; also the futex word
  // Written by the waker before its exchange, read after waking. Atomic for the end's sake: there
  // stop_threads hands nothing to every carrier, also to one that has just been handed a processor,
  // or has not begun. It may read either, since no fiber is left and it is to stop.
  atomic<processor*> handed{nullptr};
  atomic<bool> handed_searching{false};
  carrier* next_spare = nullptr;  // link of the spare list, under the idle lock
  bool spare = false;             // likewise
  bool starving = false;          // has pinned work and no processor; likewise

  // Fibers that may run only here (D12). Any thread pushes.
  spin_lock pinned_lock;
  task_list<control_block> pinned;  // guarded by pinned_lock
  atomic<std::uint32_t> pinned_count{0};

  // What its fiber offers to thieves. Made when one does first, and kept.
  atomic<fork_lane*> lane{nullptr};

  // What this thread runs. Null before and after its loop; readers hold a core_visit.
  atomic<const thread_header*> header{nullptr};
  atomic<std::int32_t> tid{0};  // the kernel's number of the thread, written before `header`

  sys_counts syscalls;
  atomic<std::uint64_t> watch_holds{0};  // times it blocked in the watch; this carrier writes
  atomic<std::uint64_t> sleeps{0};       // times it slept on its futex; this carrier writes
};
}  // namespace weft::detail
