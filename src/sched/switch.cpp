// The short path: a fiber parks, yields or is made ready, and the next one runs. Everything here runs on
// fibers' stacks and is over in nanoseconds; what may take longer is in loop.cpp, on the carrier's own.
#include "sched/internal.hpp"
#include "base/asymmetric_fence.hpp"
#include "base/fatal.hpp"
#include "fiber/extras.hpp"

namespace weft::detail {
namespace {
// errno and the C++ runtime's exception state belong to the fiber, not to the thread. A thread's own
// loop keeps neither.
void save_thread_state(thread_header* header, control_block& from) noexcept {
  from.saved_errno = *header->errno_address;
  from.exceptions = *header->exceptions;
}

void load_thread_state(thread_header* header, const control_block& to) noexcept {
  *header->errno_address = to.saved_errno;
  *header->exceptions = to.exceptions;
}

[[gnu::noinline]] void swap_fp_slow(control_block* from, control_block* to) noexcept {
  if (from && from->flags & fiber_flag::fp_env) fp_env_save(&extras_of(*from).fp);
  const fp_env defaults;
  const bool own = to && to->flags & fiber_flag::fp_env;
  fp_env_load(own ? &extras_of(*to).fp : &defaults);
}

// Makes `next` the running fiber as far as the thread is concerned, and says where to switch. Null, or a
// fiber for which there is no stack now: the carrier's loop.
context prepare_switch(thread_header* header, control_block* next, bool had_fp_env,
                       control_block* saving) noexcept {
  processor& p = *header->held;
  if (next && !(next->flags & fiber_flag::started) && !bind_stack(p, *next)) [[unlikely]] {
    push_ring(p, next);  // the loop deals with it: it waits for a stack to be freed
    next = nullptr;
  }
  if (had_fp_env || (next && next->flags & fiber_flag::fp_env)) [[unlikely]] {
    swap_fp_slow(saving, next);
  }
  header->fiber = next;
  if (!next) {
    *header->exceptions = {};
    return header->self->loop;
  }
  bump(p.count.switches);
  load_thread_state(header, *next);
  return next->ctx;
}

// Leaves the running fiber `me` for `next`, or for the carrier's loop when there is none. Returns when
// somebody resumes it, with the header of the thread it is on then; still in a section.
thread_header* switch_from(thread_header* header, control_block& me, control_block* next,
                           after_fn after) noexcept {
  save_thread_state(header, me);
  const context to = prepare_switch(header, next, me.flags & fiber_flag::fp_env, &me);
  return static_cast<thread_header*>(switch_to(&me.ctx, to, after, header));
}

control_block* block_of(context* ctx) noexcept {
  static_assert(offsetof(control_block, ctx) == 0);
  return reinterpret_cast<control_block*>(ctx);
}

void after_park(void* arg, context* from) noexcept {
  control_block* parked = block_of(from);
  processor& p = *static_cast<thread_header*>(arg)->held;
  const processor::publication pending = p.pending;
  if (!pending.cancellable) {
    parked->word.begin(false);
    if (pending.publish) pending.publish(parked, pending.arg);
    return;
  }
  const wait_word::epoch_type epoch = parked->word.next_epoch();
  p.publishing.open(parked);
  parked->word.begin(true);
  if (pending.publish) pending.publish(parked, pending.arg);
  p.publishing.close();
  // The fiber may be running by now, or its block be another's: only the epoch's claim decides.
  // Pairs with the heavy fence in request_stop_word and in the end of a runtime.
  light_fence();
  if (stop_requested(*parked) && parked->word.claim(epoch, wake_reason::cancel)) make_ready(parked);
}

void after_yield(void* arg, context* from) noexcept {
  processor& p = *static_cast<thread_header*>(arg)->held;
  control_block* me = block_of(from);
  if (me->flags & fiber_flag::pinned) [[unlikely]] {
    make_ready(me);
  } else {
    push_ring(p, me);
  }
}

wake_reason park_into(thread_header* header, control_block* next, wait_kind kind, const void* on,
                      bool cancellable, publish_fn publish, void* arg) noexcept {
  control_block& me = *header->fiber;
  processor& p = *header->held;
  me.waits_for = kind;
  me.waits_on = on;
  p.pending = {publish, arg, cancellable};
  header = switch_from(header, me, next ? next : pick_next(p), after_park);
  --header->section;
  me.waits_for = wait_kind::none;
  return me.word.reason();
}
}  // namespace

void pin_running_fiber() noexcept {
  thread_header* header = current();
  fiber_extras& extras = extras_of(*header->fiber);
  if (extras.pin_depth++ > 0) return;
  extras.pinned_to = header->self;
  header->fiber->flags |= fiber_flag::pinned;
}

void unpin_running_fiber() noexcept {
  control_block& me = *current()->fiber;
  if (--extras_of(me).pin_depth == 0) {
    me.flags &= static_cast<std::uint8_t>(~fiber_flag::pinned);
  }
}

void leave_for_good(thread_header* header, control_block* next, bool had_fp_env,
                    after_fn after) noexcept {
  const context to = prepare_switch(header, next, had_fp_env, nullptr);
  switch_away(nullptr, to, after, header);
}

void enter_from_loop(thread_header* header, control_block* next) noexcept {
  const context to = prepare_switch(header, next, false, nullptr);
  switch_to(&header->self->loop, to, nullptr, header);
}

thread_header* resume_elsewhere(thread_header* header, control_block& me, after_fn after) noexcept {
  save_thread_state(header, me);
  if (me.flags & fiber_flag::fp_env) swap_fp_slow(&me, nullptr);
  *header->exceptions = {};
  return static_cast<thread_header*>(switch_to(&me.ctx, header->self->loop, after, header));
}

wake_reason park_fiber(wait_kind kind, const void* on, bool cancellable, publish_fn publish,
                       void* arg) noexcept {
  thread_header* header = current();
  ++header->section;
  return park_into(header, nullptr, kind, on, cancellable, publish, arg);
}

wake_reason park_and_run(control_block* next, wait_kind kind, const void* on, bool cancellable,
                         publish_fn publish, void* arg) noexcept {
  thread_header* header = current();
  ++header->section;
  return park_into(header, next, kind, on, cancellable, publish, arg);
}

void yield_fiber() noexcept {
  thread_header* header = current();
  if (!header->fiber) return;
  ++header->section;
  control_block* next = pick_next(*header->held);
  // Alone, and not yet time for a long look: go on.
  if (next || header->held->tick % look_every == 0) {
    header = switch_from(header, *header->fiber, next, after_yield);
  }
  --header->section;
}

control_block* pick_next(processor& p) noexcept {
  if (++p.tick % look_every == 0) [[unlikely]] return nullptr;
  if (p.slot.load(std::memory_order_relaxed)) {
    if (p.slot_streak < slot_limit) {
      ++p.slot_streak;
      if (p.solo) {
        control_block* next = p.slot.load(std::memory_order_relaxed);
        p.slot.store(nullptr, std::memory_order_relaxed);
        return next;
      }
      // acquire: pairs with the release of push_slot, which may have been a former owner's.
      if (control_block* next = p.slot.exchange(nullptr, std::memory_order_acquire)) return next;
    } else {
      // The cap (D6): others first. The slot's fiber goes to the end of the ring.
      if (control_block* last = p.slot.exchange(nullptr, std::memory_order_acquire)) {
        push_ring(p, last);
      }
    }
  }
  p.slot_streak = 0;
  return p.solo ? p.ring.pop_unshared() : p.ring.pop();
}

void push_ring(processor& p, control_block* block) noexcept {
  while (!p.ring.push(block)) [[unlikely]] {
    control_block* half[local_ring<control_block>::half];
    task_list<control_block> spilled;
    const std::uint32_t count = p.ring.pop_half(half);
    for (std::uint32_t i = 0; i < count; ++i) spilled.push_back(half[i]);
    if (count) p.core->inject.push(spilled);
  }
}

void push_slot(processor& p, control_block* block) noexcept {
  bump(p.slot_pushes);
  // A thief only ever empties the slot, so an empty one stays empty until the owner stores.
  // release: pairs with the acquire of whoever takes it.
  control_block* former = p.slot.load(std::memory_order_relaxed);
  if (former) former = p.slot.exchange(block, std::memory_order_acq_rel);
  else p.slot.store(block, std::memory_order_release);
  if (former) push_ring(p, former);
}

bool take_from_slot(processor& p, control_block* block) noexcept {
  control_block* seen = p.slot.load(std::memory_order_relaxed);
  if (seen != block || block->flags & fiber_flag::started) return false;
  if (p.solo) {
    p.slot.store(nullptr, std::memory_order_relaxed);
    return true;
  }
  // acquire: as in pick_next.
  return p.slot.compare_exchange_strong(seen, nullptr, std::memory_order_acquire,
                                        std::memory_order_relaxed);
}

bool bind_stack(processor& p, control_block& block) noexcept {
  const stack bound = p.stacks.take(block.size_class);
  if (!bound) [[unlikely]] return false;
  block.stk = bound;
  block.ctx = prepare(bound.hi, fiber_main);
  block.flags |= fiber_flag::started;
  return true;
}
}  // namespace weft::detail
