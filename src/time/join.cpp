// Waiting for a fiber's end. control_block::joiner goes
//   null -> joiner's block (registered) -> finished
//   null -> finished                       registered -> null (withdrawn after timeout or cancel)
//   null -> detached                       (the ending fiber recycles its own block)
//   any of these -> ending -> finished     (the end found a registration whose wait was over)
// The owner of the fiber (its handle) registers, withdraws and detaches; the ending fiber moves it
// to finished. joiner_epoch is written before registering and read by the end only while
// registered.
#include "time/join.hpp"

#include <sched.h>

#include <weft/operation_canceled.hpp>

#include "fiber/slab.hpp"
#include "sched/switching.hpp"
#include "time/timed_park.hpp"

namespace weft::detail {
namespace {
void publish_join(control_block* parked, void* arg) noexcept {
  auto* block = static_cast<control_block*>(arg);
  const wait_word::epoch_type epoch = parked->word.epoch();
  // release: pairs with the acquire in publish_end.
  block->joiner_epoch.store(epoch, std::memory_order_release);
  control_block* nobody = nullptr;
  // release: pairs with the acquire in publish_end: joiner_epoch. acquire: pairs with its release.
  if (!block->joiner.compare_exchange_strong(nobody, parked, std::memory_order_acq_rel,
                                             std::memory_order_acquire)) {
    // It has ended meanwhile. From here the claim decides, as if the end had made it.
    if (parked->word.claim(epoch, wake_reason::wake)) make_ready(parked);
  }
}

// A wait that ended otherwise: takes the registration back. True: the fiber had ended after all.
bool withdraw(control_block& block, control_block* me) noexcept {
  // acq_rel: pairs with publish_end's operations on the same word.
  return !block.joiner.compare_exchange_strong(me, nullptr, std::memory_order_acq_rel,
                                               std::memory_order_acquire);
}

// The end is some instructions from being finished, if it is not already.
void await_finished(const control_block& block) noexcept {
  while (!has_ended(block)) ::sched_yield();
}

// The fiber taken from the slot gets its stack before anybody is registered with it. False: there
// is none now; it queues like any other.
bool with_stack(processor& p, control_block& block) noexcept {
  if (bind_stack(p, block)) [[likely]]
    return true;
  push_ring(p, &block);
  return false;
}

// On a fiber, without a deadline. False: cancelled. In a section, which may end on another thread.
[[gnu::always_inline]] inline bool join_on_fiber(thread_header*& header, control_block& block,
                                                 bool cancellable) noexcept {
  if (has_ended(block)) return true;
  control_block& me = *header->fiber;
  control_block* next = nullptr;
  publish_fn publish = publish_join;
  if (take_from_slot(*header->held, &block) && with_stack(*header->held, block)) {
    // It was spawned last, lies in this processor's slot and has not begun: run it at once instead
    // of queueing for it. Nobody else can reach it, so registering is a plain store.
    block.joiner_epoch.store(me.word.next_epoch(), std::memory_order_relaxed);
    // relaxed: this thread runs the fiber next; if it migrates, its queue publishes this too.
    block.joiner.store(&me, std::memory_order_relaxed);
    next = &block;
    publish = nullptr;
  }
  header = park_into(header, next, wait_kind::join, &block, cancellable, publish, &block);
  return me.word.reason() == wake_reason::wake || withdraw(block, &me);
}

[[gnu::always_inline]] inline void recycle(thread_header* header, control_block& block) noexcept {
  await_finished(block);
  renew_block(block);
  header->held->blocks.give(&block);
}

void recycle_on_thread(control_block& block) noexcept {
  await_finished(block);
  renew_block(block);
  slab_give(&block, &block);
}

// With a deadline, or on a kernel thread. False: the wait ended otherwise, see `end`.
[[gnu::noinline]] bool join_slow(control_block& block, wait_end& end) {
  if (has_ended(block)) return true;
  end = wait(wait_kind::join, &block, never, publish_join, &block);
  return end == wait_end::woken || withdraw(block, &self_block());
}
}  // namespace

void join_and_recycle(control_block& block) {
  thread_header* header = current();
  if (!header->fiber || header->fiber->deadline != never) {
    wait_end end = entry_check();
    throw_if_ended(end);
    if (!join_slow(block, end)) throw_if_ended(end);
    header = current();
    if (!header->held) return recycle_on_thread(block);
    const section inside(header);
    return recycle(header, block);
  }
  const bool cancellable = cancellable_on(header);
  if (cancellable && stop_requested(*header->fiber)) [[unlikely]]
    throw operation_canceled();
  ++header->section;
  const bool ended = join_on_fiber(header, block, cancellable);
  if (ended) [[likely]]
    recycle(header, block);
  --header->section;
  if (!ended) [[unlikely]]
    throw operation_canceled();
}

void join_quietly(control_block& block) noexcept {
  thread_header* header = current();
  if (!header->fiber) {
    if (!has_ended(block)) park(wait_kind::join, &block, false, publish_join, &block);
    return recycle_on_thread(block);
  }
  ++header->section;
  join_on_fiber(header, block, false);
  recycle(header, block);
  --header->section;
}

void detach_block(control_block& block) noexcept {
  control_block* nobody = nullptr;
  // release: the ending fiber recycles the block after us. acquire: we do after it.
  if (block.joiner.compare_exchange_strong(nobody, joiner_detached, std::memory_order_acq_rel,
                                           std::memory_order_acquire)) {
    return;
  }
  thread_header* header = current();
  if (!header->held) return recycle_on_thread(block);
  const section inside(header);
  recycle(header, block);
}
}  // namespace weft::detail
