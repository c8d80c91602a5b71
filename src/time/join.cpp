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
#include <time.h>

#include <cerrno>
#include <exception>

#include <weft/operation_canceled.hpp>

#include "base/asymmetric_fence.hpp"
#include "base/fatal.hpp"
#include "fiber/slab.hpp"
#include "sched/spawn.hpp"
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

control_block* stamped(void* header, context* from) noexcept {
  control_block* parked = block_of(from);
  const processor& p = *static_cast<thread_header*>(header)->held;
  parked->exceptions.since = p.stamp.load(std::memory_order_relaxed);
  return parked;
}

// The after function of a joiner that has switched to the fiber it joins: nothing is published, the
// fiber has been told before.
void after_direct_join(void* header, context* from) noexcept {
  control_block* parked = stamped(header, from);
  const wait_word::epoch_type epoch = parked->word.next_epoch();
  parked->word.begin(true);
  // As in after_park.
  light_fence();
  if (stop_requested(*parked) && parked->word.claim(epoch, wake_reason::cancel)) make_ready(parked);
}

void after_quiet_direct_join(void* header, context* from) noexcept {
  stamped(header, from)->word.begin(false);
}

// On a fiber, without a deadline. False: cancelled. In a section, which may end on another thread.
[[gnu::always_inline]] inline bool join_on_fiber(thread_header*& header, control_block& block,
                                                 bool cancellable) noexcept {
  if (has_ended(block)) return true;
  control_block& me = *header->fiber;
  processor& p = *header->held;
  control_block* next = nullptr;
  if (p.tick + 1 < look_every && take_next(p, &block)) {
    // Next in line, and ours: it runs at once.
    if (block.flags & fiber_flag::started) {
      ++p.tick;
      next = &block;
    } else if (const stack bound = p.stacks.take(block.size_class)) [[likely]] {
      // Nobody else can reach it, so registering is a plain store.
      block.joiner_epoch.store(me.word.next_epoch(), std::memory_order_relaxed);
      // relaxed: this thread runs the fiber next; if it migrates, its queue publishes this too.
      block.joiner.store(&me, std::memory_order_relaxed);
      ++p.tick;
      me.waits_for = wait_kind::join;
      me.waits_on = &block;
      save_thread_state(header, me);
      if ((me.flags | block.flags) & fiber_flag::when_left) [[unlikely]]
        leave_slow(header, me, block);
      const context to = enter_fresh(header, block, bound);
      header = change_stack(header, &me.ctx, to, bounds_of(block),
                            cancellable ? after_direct_join : after_quiet_direct_join);
      me.waits_for = wait_kind::none;
      return me.word.reason() == wake_reason::wake || withdraw(block, &me);
    } else {
      push_ring(p, &block);  // until there is a stack
    }
  }
  if (!next) next = pick_next(p);
  header = park_into(header, next, wait_kind::join, &block, cancellable, publish_join, &block);
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

[[gnu::noinline]] void join_and_recycle_slow(control_block& block) {
  if (&block == current()->fiber) {
    throw_system(EDEADLK, "weft::fiber::join: fiber %llu would wait for its own end",
                 static_cast<unsigned long long>(block.serial.load(std::memory_order_relaxed)));
  }
  // No fiber runs in a forked child.
  if (has_forked()) {
    throw_system(ESRCH, "weft::fiber::join: the fiber stayed in the parent of this forked child");
  }
  wait_end end = entry_check();
  throw_if_ended(end);
  if (!join_slow(block, end)) throw_if_ended(end);
  thread_header* header = current();
  if (!header->held) return recycle_on_thread(block);
  const section inside(header);
  recycle(header, block);
}
}  // namespace

void join_and_recycle(control_block*& handle) {
  thread_header* header = current();
  control_block& block = *handle;
  if (!header->fiber || header->fiber == &block || header->fiber->deadline != never) [[unlikely]] {
    join_and_recycle_slow(block);
    handle = nullptr;
    return;
  }
  const bool cancellable = cancellable_on(header);
  if (cancellable && stop_requested(*header->fiber)) [[unlikely]]
    throw operation_canceled();
  ++header->section;
  const bool ended = join_on_fiber(header, block, cancellable);
  if (ended) [[likely]] {
    recycle(header, block);
    handle = nullptr;
  }
  --header->section;
  if (!ended) [[unlikely]]
    throw operation_canceled();
}

namespace {
// For a destructor, which cannot tell that there is no memory to wait with: then it looks now and
// then.
[[gnu::noinline]] void join_quietly_on_thread(control_block& block) noexcept {
  try {
    if (!has_ended(block)) park(wait_kind::join, &block, false, publish_join, &block);
  } catch (const std::exception&) {
    constexpr timespec nap{.tv_sec = 0, .tv_nsec = 1'000'000};
    while (!has_ended(block)) ::nanosleep(&nap, nullptr);
  }
  recycle_on_thread(block);
}
}  // namespace

void join_quietly(control_block& block) noexcept {
  thread_header* header = current();
  if (!header->fiber) return join_quietly_on_thread(block);
  ++header->section;
  join_on_fiber(header, block, false);
  recycle(header, block);
  --header->section;
}

void detach_block(control_block& block) noexcept {
  control_block* nobody = nullptr;
  order_release(&block.joiner);  // pairs with publish_end
  // What a join has left there would look like a scope's address in publish_end. release: pairs
  // with the acquire there, as the registration of another joiner does; no wait's epoch is 0.
  block.joiner_epoch.store(0, std::memory_order_release);
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
