// The hooks of base/sanitizer.hpp under ThreadSanitizer: included by it, and by nothing else.
//
// Each fiber is a thread to it, with a clock of its own, and a switch orders nothing: two fibers on
// one worker that touch the same memory race, although the one happens to run after the other
// there. So of the library it sees nothing either. Its sources are compiled without
// instrumentation (cmake/sanitizers.cmake), because what they do on a fiber's clock belongs to the
// scheduler: two fibers that use one run queue are not ordered by that. What is ordered is said by
// order_release and order_acquire, and is what the documentation promises:
//
//   spawn -> first instruction      race_clock::begin, on the spawner's clock
//   whoever ends a wait -> woken    wait_word::claim -> wait_word::reason
//   end of a fiber -> its join      publish_end -> has_ended
//   request_stop -> seen            request_stop_word -> stop_requested
//   detach -> end                   detach_block -> publish_end, for what dies with the fiber
//   last fiber -> end of runtime    tell_if_draining -> wait_drained
//   a value sent -> received        channel_core::put_locked, release -> take_locked, taken_up
//   a place left -> taken again     take_locked -> put_locked
//   close -> told                   channel_core::close -> told_closed, closed
//   blocking() one at a time        leave_gate -> enter_gate, where the cap is one
//
// Descriptors, locks, thread starts and joins are known to ThreadSanitizer by itself. It models
// neither fences nor membarrier nor futexes; nothing above rests on those, they only see to it that
// a wake is not lost.
//
// Memory that the library hands from fiber to fiber would seem to be raced for: stacks, closures in
// control blocks. Their former accesses are forgotten by what ThreadSanitizer knows to begin
// memory's life anew: a mapping, an allocation.
#pragma once
#include <sanitizer/tsan_interface.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

extern "C" {
void __tsan_ignore_thread_begin();
void __tsan_ignore_thread_end();
}

namespace weft::detail {
inline constexpr bool address_sanitizer = false;
inline constexpr bool thread_sanitizer = true;

// The other view, for work on weft itself (WEFT_TSAN_SCHEDULER): the library is instrumented, and a
// switch orders what runs before and after it, as the kernel thread that does both orders it. What
// a processor's owner may touch is then checked, and races between fibers of one worker are not.
inline constexpr bool watches_scheduler = WEFT_THREAD_SANITIZER == 2;
inline constexpr unsigned switch_order =
    watches_scheduler ? 0u : static_cast<unsigned>(__tsan_switch_to_fiber_no_sync);

// Everything that changes the clock is inlined: a function's exit must be told to the clock that
// its entry was told to.
class race_clock {
 public:
  // Made by the spawner and not when the fiber first runs, where the binding processor's clock is
  // some other fiber's. Never destroyed without having run: a fiber that is spawned begins.
  void begin() noexcept { fiber_ = __tsan_create_fiber(0); }
  // What reports call the fiber, which is a thread to them.
  void name(unsigned long long id, const char* text) noexcept {
    char label[64];
    std::snprintf(label, sizeof label, "fiber %llu%s%s", id, *text ? " " : "", text);
    __tsan_set_fiber_name(fiber_, label);
  }
  void* get() const noexcept { return fiber_; }

  race_clock() noexcept = default;
  explicit race_clock(void* of) noexcept : fiber_(of) {}

 private:
  void* fiber_ = nullptr;
};

struct thread_stack {
  void* clock = nullptr;
  static thread_stack here() noexcept { return {__tsan_get_current_fiber()}; }
};

struct stack_bounds {
  void* clock = nullptr;
  stack_bounds(const void*, const void*, const race_clock& of) noexcept : clock(of.get()) {}
  explicit stack_bounds(const thread_stack& of) noexcept : clock(of.clock) {}
};

class announced_switch {
 public:
  [[gnu::always_inline]] explicit announced_switch(const stack_bounds& to) noexcept {
    __tsan_switch_to_fiber(to.clock, switch_order);
  }
  void returned() noexcept {}
};

inline void announce_fresh_stack() noexcept {}

[[gnu::always_inline]] inline void announce_last_switch(const stack_bounds& to,
                                                        const void*) noexcept {
  void* const ended = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.clock, switch_order);
  __tsan_destroy_fiber(ended);
}

inline void forget_frames(void*, std::size_t) noexcept {}

// What a context runs on is a clock to ThreadSanitizer, because its calls and returns are counted
// there. Switches to it and from it order, in both views.
class announced_visits {
 public:
  void begin() noexcept {
    mine_ = __tsan_create_fiber(0);
    __tsan_set_fiber_name(mine_, "context");
  }
  void end() noexcept { __tsan_destroy_fiber(mine_); }
  race_clock clock() const noexcept { return race_clock(mine_); }

  class visit {
   public:
    [[gnu::always_inline]] visit(announced_visits& to, const void*, const void*) noexcept {
      to.resumer_ = __tsan_get_current_fiber();
      __tsan_switch_to_fiber(to.mine_, 0);
    }
    void returned() noexcept {}
  };
  void arrived() noexcept {}
  class absence {
   public:
    [[gnu::always_inline]] explicit absence(announced_visits& from) noexcept {
      __tsan_switch_to_fiber(from.resumer_, 0);
    }
    void returned() noexcept {}
  };
  [[gnu::always_inline]] void leave(const void*) noexcept { __tsan_switch_to_fiber(resumer_, 0); }

 private:
  void* mine_ = nullptr;
  void* resumer_ = nullptr;
};

inline void order_release(const void* at) noexcept {
  __tsan_release(const_cast<void*>(at));
}
inline void order_acquire(const void* at) noexcept {
  __tsan_acquire(const_cast<void*>(at));
}
inline void order_acquire_if(bool seen, const void* at) noexcept {
  if (seen) order_acquire(at);
}

struct unwatched {
  unwatched() noexcept {
    if (!watches_scheduler) __tsan_ignore_thread_begin();
  }
  ~unwatched() {
    if (!watches_scheduler) __tsan_ignore_thread_end();
  }
  unwatched(const unwatched&) = delete;
  unwatched& operator=(const unwatched&) = delete;
};

// Destroying a mutex empties the clock kept at its address; there is no other call that does. It
// counts as a write there, which is ours.
inline void order_forget(const void* at) noexcept {
  if (watches_scheduler) return;
  const unwatched ours;
  __tsan_mutex_destroy(const_cast<void*>(at), 0);
}

// mmap is known to begin memory's life; it would count as the caller's write.
inline void forget_accesses(std::byte* low, std::byte* high) noexcept {
  if (watches_scheduler) return;
  const unwatched ours;
  const auto size = static_cast<std::size_t>(high - low);
  if (::mmap(low, size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
    std::abort();
  }
  ::madvise(low, size, MADV_NOHUGEPAGE);  // as the rest of the chunk: one mapping again
}

// On the heap, so that each spawn has memory of its own.
inline void* closure_memory(std::byte* inside) noexcept {
  void* const made = std::malloc(64);
  if (!made) std::abort();
  return *reinterpret_cast<void**>(inside) = made;
}
inline void* closure_of(std::byte* inside) noexcept {
  return *reinterpret_cast<void**>(inside);
}
inline void drop_closure(std::byte* inside) noexcept {
  std::free(closure_of(inside));
}
}  // namespace weft::detail
