// The short path: a fiber parks, yields or is made ready, and the next one runs. Everything here
// runs on fibers' stacks and is over in nanoseconds; what may take longer is in loop.cpp, on the
// carrier's own.
#include <sched.h>

#include "base/asymmetric_fence.hpp"
#include "base/fatal.hpp"
#include "fiber/extras.hpp"
#include "sched/branches.hpp"
#include "sched/internal.hpp"
#include "sched/observe.hpp"
#include "sched/switching.hpp"

namespace weft::detail {
namespace {
void after_yield(void* arg, context* from) noexcept {
  processor& p = *static_cast<thread_header*>(arg)->held;
  control_block* me = block_of(from);
  if (me->flags & fiber_flag::pinned || chaos::strikes(chaos::point::inject)) [[unlikely]] {
    make_ready(me);
  } else {
    push_ring(p, me);
  }
}

}  // namespace

void swap_fp_slow(control_block* from, control_block* to) noexcept {
  if (from && from->flags & fiber_flag::fp_env) fp_env_save(&extras_of(*from).fp);
  const fp_env defaults;
  const bool own = to && to->flags & fiber_flag::fp_env;
  fp_env_load(own ? &extras_of(*to).fp : &defaults);
}

void leave_slow(thread_header* header, control_block& me, control_block& next) noexcept {
  if ((me.flags | next.flags) & fiber_flag::fp_env) swap_fp_slow(&me, &next);
  if (me.flags & fiber_flag::forked) spill_branches(header, me);
}

context prepare_switch_slow(thread_header* header, control_block* next, bool must_look,
                            control_block* saving) noexcept {
  processor& p = *header->held;
  if (next && !(next->flags & fiber_flag::started) && !bind_stack(p, *next)) [[unlikely]] {
    push_ring(p, next);  // the loop deals with it: it waits for a stack to be freed
    next = nullptr;
  }
  if (must_look || (next && next->flags & fiber_flag::fp_env)) [[unlikely]] {
    const auto flags = (saving      ? saving->flags
                        : must_look ? fiber_flag::fp_env
                                    : 0) |
                       (next ? next->flags : 0);
    if (saving && saving->flags & fiber_flag::forked) spill_branches(header, *saving);
    if (flags & fiber_flag::fp_env) swap_fp_slow(saving, next);
  }
  if (next) return enter(header, *next);
  if (p.diverted) [[unlikely]]
    observe_stop(header, saving);
  header->fiber = nullptr;
  *header->exceptions = {};
  return header->self->loop;
}

void after_park(void* arg, context* from) noexcept {
  control_block* parked = block_of(from);
  processor& p = *static_cast<thread_header*>(arg)->held;
  const processor::publication pending = p.pending;
  parked->exceptions.since = p.stamp.load(std::memory_order_relaxed);
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

void pin_running_fiber() noexcept {
  thread_header* header = current();
  fiber_extras& extras = extras_of(*header->fiber);
  if (extras.pin_depth++ > 0) return;
  extras.pinned_to = header->self;
  header->fiber->flags |= fiber_flag::pinned;
}

void unpin_running_fiber() noexcept {
  if (!current()->fiber) return;  // forked meanwhile: the child is a plain thread
  control_block& me = *current()->fiber;
  if (--extras_of(me).pin_depth == 0) {
    me.flags &= static_cast<std::uint8_t>(~fiber_flag::pinned);
  }
}

void enter_from_loop(thread_header* header, control_block* next) noexcept {
  const context to = prepare_switch(header, next, false, nullptr);
  change_stack(header, &header->self->loop, to, bounds_of(*next), nullptr);
}

thread_header* resume_elsewhere(thread_header* header, control_block& me, after_fn after) noexcept {
  save_thread_state(header, me);
  if (me.flags & fiber_flag::fp_env) swap_fp_slow(&me, nullptr);
  *header->exceptions = {};
  const carrier& self = *header->self;
  return change_stack(header, &me.ctx, self.loop, stack_bounds(self.own_stack), after);
}

wake_reason park_fiber(wait_kind kind, const void* on, bool cancellable, publish_fn publish,
                       void* arg) noexcept {
  thread_header* header = current();
  control_block& me = *header->fiber;
  ++header->section;
  control_block* const next = pick_next(*header->held);
  header = park_into(header, next, kind, on, cancellable, publish, arg);
  --header->section;
  return me.word.reason();
}

namespace {
// Alone, but for branches that it offers: they go first.
[[gnu::noinline]] thread_header* yield_to_branches_slow(thread_header* header,
                                                        control_block& me) noexcept {
  spill_branches(header, me);
  control_block* const next = pick_next(*header->held);
  return next ? switch_from(header, me, next, after_yield) : header;
}

// Any way a yield can go.
[[gnu::noinline]] void yield_slow(thread_header* header, control_block& me) noexcept {
  ++header->section;
  control_block* next = pick_next(*header->held);
  // Alone, and not yet time for a long look: go on.
  if (next || header->held->tick >= look_every || chaos::on())
    header = switch_from(header, me, next, after_yield);
  else if (me.flags & fiber_flag::forked)
    header = yield_to_branches_slow(header, me);
  --header->section;
}

// Nothing but a switch has to be done: it has run, and has no control words of its own.
bool enters_plainly(const control_block& block) noexcept {
  constexpr auto looked_at = fiber_flag::started | fiber_flag::fp_env | fiber_flag::pinned;
  return (block.flags & looked_at) == fiber_flag::started;
}
bool leaves_plainly(const control_block& block) noexcept {
  constexpr auto looked_at = fiber_flag::started | fiber_flag::when_left | fiber_flag::pinned;
  return (block.flags & looked_at) == fiber_flag::started;
}
}  // namespace

// The short way: one worker, and others wait in the ring. Nobody steals there, so nobody resumes
// the fiber before the switch is over, and it queues itself without an after function.
void yield_here() noexcept {
  thread_header* header = current();
  control_block* const me = header->fiber;
  if (!me) [[unlikely]] {
    ::sched_yield();
    return;
  }
  processor& p = *header->held;
  if (!p.solo || chaos::on() || !leaves_plainly(*me) || p.slot.load(std::memory_order_relaxed) ||
      p.tick + 1 >= look_every) [[unlikely]] {
    return yield_slow(header, *me);
  }
  ++header->section;
  const auto rotated = p.ring.rotate_unshared(me, enters_plainly);
  control_block* const next = rotated.oldest;
  if (!next) [[unlikely]] {
    --header->section;
    return yield_slow(header, *me);
  }
  ++p.tick;
  p.slot_streak = 0;
  // The fiber after next: among many its stack has left the first-level cache.
  if (rotated.queued > 64) __builtin_prefetch(rotated.front()->ctx.sp);
  const context to = change_fiber(header, p, *me, *next);
  header = change_stack(header, &me->ctx, to, bounds_of(*next), nullptr);
  --header->section;
}

namespace {
// The cap on runs from the slot: others first. The slot's fiber `last` goes to the end of the ring.
// That alone is no turn for the children of scopes, which come behind the ring. So every other time
// they have it, and always while the ring is empty; and `last` stays in the slot then, or the deque
// would be run to its end before it. Not if `last` has waited for a scope itself: it goes on with a
// tree, and those have their turns by that. Then the deque's next turn is for what is near it in
// that tree: its own siblings, if it is some scope's child.
control_block* pass_over(processor& p, control_block* last) noexcept {
  if (last->waits_for == wait_kind::scope) {
    if (!p.going_on_with) p.going_on_with = last->joiner_epoch.load(std::memory_order_relaxed);
  } else if (p.children.load(std::memory_order_relaxed) && has_children(p)) {
    p.children_pass = !p.children_pass;
    control_block* const child = p.children_pass || p.ring.size() == 0 ? pick_child(p) : nullptr;
    if (child) {
      p.slot_streak = 0;
      push_slot(p, last);
      return child;
    }
  }
  push_ring(p, last);
  return nullptr;
}
}  // namespace

// The slot of a processor that others may rob. INVARIANT: each fiber that is pushed is taken once,
// by somebody who sees what came before the push. Proof. Only the owner stores fibers here, thieves
// and the owner take them by a read-modify-write, and an owner's push takes along what was there;
// so none is lost or taken twice. A thief's acquire pairs with the push's release. The owner needs
// neither: what it takes it has pushed itself, or a former owner has, and with the processor the
// plain members beside the slot were handed over too. Model: tests/model/slot.cpp.
control_block* pick_slot_slow(processor& p) noexcept {
  if (p.slot_streak >= slot_limit) {
    control_block* const last = p.slot.exchange(nullptr, std::memory_order_relaxed);
    return last ? pass_over(p, last) : nullptr;
  }
  ++p.slot_streak;
  if (!p.solo) return p.slot.exchange(nullptr, std::memory_order_relaxed);
  control_block* next = p.slot.load(std::memory_order_relaxed);
  p.slot.store(nullptr, std::memory_order_relaxed);
  return next;
}

// Runs on whatever fiber's stack comes next, so the batch is gathered in the processor, not in a
// frame.
void make_room_slow(processor& p, control_block* block) noexcept {
  do {
    if (p.ring.grow_slow()) continue;
    task_list<control_block> spilled;
    const std::uint32_t count = p.ring.pop_batch(p.spill);
    for (std::uint32_t i = 0; i < count; ++i) spilled.push_back(p.spill[i]);
    if (count) p.core->inject.push(spilled);
  } while (!p.ring.push(block));
}

void push_slot_shared(processor& p, control_block* block) noexcept {
  bump(p.slot_pushes);
  // A thief only ever empties the slot, so an empty one stays empty until the owner stores.
  // release: pairs with the acquire in steal_slot.
  control_block* former = p.slot.load(std::memory_order_relaxed);
  if (former)
    former = p.slot.exchange(block, std::memory_order_release);
  else
    p.slot.store(block, std::memory_order_release);
  if (former) push_ring(p, former);
}

bool take_next_shared(processor& p, control_block* block) noexcept {
  if (p.slot.load(std::memory_order_relaxed) != block) return p.ring.pop_if(block);
  return p.slot.compare_exchange_strong(block, nullptr, std::memory_order_relaxed,
                                        std::memory_order_relaxed);
}

bool bind_stack(processor& p, control_block& block) noexcept {
  const stack bound = p.stacks.take(block.size_class);
  if (!bound) [[unlikely]]
    return false;
  forget_accesses(bound.lo, bound.hi);
  block.stk = bound;
  block.ctx = prepare(bound.hi, fiber_main);
  // What a former life of the block left when it parked last.
  block.exceptions = {};
  block.saved_errno = 0;
  block.flags |= fiber_flag::started;
  return true;
}
}  // namespace weft::detail
