#pragma once
#include "base/current.hpp"
#include "fiber/control_block.hpp"
#include "queue/task_list.hpp"
#include "sched/core.hpp"

// What the layers above ask of the scheduler.
namespace weft::detail {
// Makes a parked fiber's tokens reachable: unlocks a queue, arms a timer. Runs on the next stack,
// with nobody on the fiber's own; from its first store on, the fiber may be running elsewhere and
// its frame gone, so `arg` must not point into the frame unless it is read before that store.
using publish_fn = void (*)(control_block* parked, void* arg) noexcept;

// The running fiber only. Parks it until a claim of the epoch `word.next_epoch()`; returns how that
// wait ended. Does not look at cancellation before parking (see park/cancel.cpp), but a stop
// requested while parked ends the wait if it is cancellable.
wake_reason park_fiber(wait_kind kind, const void* on, bool cancellable, publish_fn publish,
                       void* arg) noexcept;

// The running fiber goes behind every other that is ready on its processor; a plain thread behind
// those of the kernel.
void yield_here() noexcept;

// Any thread. The caller has won the claim of a parked fiber or thread, or owns an unstarted fiber.
void make_ready(control_block*) noexcept;
// The same for a batch that arrived together: goes behind what is queued, wakes at most one.
void make_ready(runtime_core&, task_list<control_block>) noexcept;

// Any thread: ends the block's cancellable wait of that epoch. False: something else has ended it.
bool cancel_wait(runtime_core&, control_block&, wait_word::epoch_type epoch) noexcept;

// From here on, until as many unpins, the running fiber resumes only on the kernel thread it is on.
// Its extras exist.
void pin_running_fiber() noexcept;
void unpin_running_fiber() noexcept;

// Whether the fiber was asked to stop: by itself, with what it runs below (fiber/cancel_frame.hpp),
// or with its whole runtime. Any thread.
inline bool stop_requested(const control_block& block) noexcept {
  // seq_cst: the fiber's half of the cancellation protocol, see park/cancel.cpp.
  if (block.cancel.load(std::memory_order_seq_cst) & cancel_bit::any) [[unlikely]] {
    order_acquire(&block.cancel);  // pairs with request_stop_word, stop_branches
    return true;
  }
  const runtime_core* core = block.rt.load(std::memory_order_relaxed);
  const bool all = core && core->cancelling.load(std::memory_order_seq_cst) & cancelling_bit::stop;
  order_acquire_if(all, core);  // pairs with request_stop_all
  return all;
}

// The running fiber: whether operation_canceled may leave it. Its std token may tell of a request
// before its own word does: park/cancel.cpp.
bool asked_to_stop(control_block&) noexcept;

// Whether a cancellation point has to look closer: stop_requested, or the fiber's run is explored.
inline bool stop_or_explored(const control_block& block) noexcept {
  // seq_cst: as in stop_requested.
  if (block.cancel.load(std::memory_order_seq_cst) & cancel_bit::any) [[unlikely]]
    return true;
  const runtime_core* core = block.rt.load(std::memory_order_relaxed);
  return core && core->cancelling.load(std::memory_order_seq_cst) != 0;
}

// A section: inside one the thread's processor is not taken away (D13). Switches happen inside one.
class section {
 public:
  explicit section(thread_header* header) noexcept : header_(header) { ++header_->section; }
  ~section() { --header_->section; }
  section(const section&) = delete;
  section& operator=(const section&) = delete;

 private:
  thread_header* header_;
};
}  // namespace weft::detail
