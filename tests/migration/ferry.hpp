#pragma once
// Forced migration. On each worker a pinned fiber, its ferry, takes over fibers that park in its
// mailbox and makes them ready there; a fiber crosses by parking in the mailbox of a kernel thread
// that it is not on.
#include <sched.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>
#include <weft/fiber.hpp>
#include <weft/runtime.hpp>

#include "park/park.hpp"

namespace weft::migration {
// Nothing that a compiler could keep from before, nor that a C library does.
inline pid_t kernel_thread() noexcept {
#ifdef __x86_64__
  long tid = SYS_gettid;
  asm volatile("syscall" : "+a"(tid) : : "rcx", "r11", "memory");
  return static_cast<pid_t>(tid);
#else
  long (*volatile call)(long, ...) = ::syscall;
  return static_cast<pid_t>(call(SYS_gettid));
#endif
}

class ferry {
 public:
  // A fiber on its way. It lies on that fiber's stack, and nobody looks at it once it is awake.
  struct passenger {
    ferry* to = nullptr;
    passenger* next = nullptr;
    detail::control_block* block = nullptr;
    detail::wait_word::epoch_type epoch = 0;
  };

  pid_t thread() const noexcept { return thread_.load(std::memory_order_relaxed); }

  // Where the passenger's fiber is published, off its stack.
  static void board(detail::control_block* parked, void* arg) noexcept {
    auto& p = *static_cast<passenger*>(arg);
    std::atomic<passenger*>& waiting = p.to->waiting_;
    p.block = parked;
    p.epoch = parked->word.epoch();
    p.next = waiting.load(std::memory_order_relaxed);
    while (!waiting.compare_exchange_weak(p.next, &p, std::memory_order_release,
                                          std::memory_order_relaxed)) {
    }
  }

  // The pinned fiber's life. It keeps its worker until every other has its own.
  void run(std::atomic<unsigned>& missing, const std::atomic<bool>& over) {
    thread_.store(kernel_thread(), std::memory_order_relaxed);
    --missing;
    while (missing != 0) ::sched_yield();
    for (int idle = 0; !over;) {
      passenger* p = waiting_.exchange(nullptr, std::memory_order_acquire);
      idle = p ? 0 : idle + 1;
      while (p) {
        passenger& first = *p;
        p = first.next;
        if (first.block->word.claim(first.epoch, detail::wake_reason::wake))
          detail::make_ready(first.block);
      }
      if (idle > 16) ::sched_yield();  // to the kernel thread that has work
      this_fiber::yield();
    }
  }

 private:
  alignas(64) std::atomic<passenger*> waiting_{nullptr};
  std::atomic<pid_t> thread_{0};
};

class ferries {
 public:
  explicit ferries(runtime& on) : ferries_(on.workers()), missing_(on.workers()) {
    for (ferry& each : ferries_) {
      fibers_.emplace_back(fiber_options{.on = &on, .pinned = true},
                           [this, &each] { each.run(missing_, over_); });
    }
    while (missing_ != 0) ::sched_yield();
  }
  ~ferries() { over_ = true; }
  ferries(const ferries&) = delete;
  ferries& operator=(const ferries&) = delete;

  // Parks the calling fiber and lets another kernel thread make it ready. (It may be stolen back.)
  // Inline on purpose: with link-time optimisation the compiler sees from here down to the switch.
  void cross(unsigned turn) {
    const pid_t here = kernel_thread();
    const std::size_t count = ferries_.size();
    std::size_t to = turn % count;
    if (ferries_[to].thread() == here) to = (to + 1) % count;
    ferry::passenger me{.to = &ferries_[to]};
    detail::park(detail::wait_kind::event, nullptr, false, ferry::board, &me);
  }

 private:
  std::vector<ferry> ferries_;
  std::atomic<unsigned> missing_;
  std::atomic<bool> over_{false};
  std::vector<fiber> fibers_;  // last: joined first
};
}  // namespace weft::migration
