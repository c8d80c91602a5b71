#include "sched/children.hpp"

#include <new>

#include "sched/internal.hpp"
#include "sched/observe.hpp"
#include "sched/spawn.hpp"
#include "sched/spawn_local.hpp"
#include "sched/switching.hpp"

namespace weft::detail {
namespace {
child_deque* deque_of(const processor& p) noexcept {
  // acquire: pairs with push_child.
  return p.children.load(std::memory_order_acquire);
}

// Owner. With room for one more. Null: none, and the fiber goes the way of others.
child_deque* deque_to_push(processor& p) noexcept {
  child_deque* deque = p.children.load(std::memory_order_relaxed);
  if (!deque) [[unlikely]] {
    if (p.core->exploring) return nullptr;
    deque = new (std::nothrow) child_deque;
    if (!deque) return nullptr;
    // release: pairs with deque_of.
    p.children.store(deque, std::memory_order_release);
  }
  return chaos::strikes(chaos::point::slot) || !deque->queued.fits(1) ? nullptr : deque;
}

std::uint64_t scope_of(const control_block& block) noexcept {
  return block.joiner_epoch.load(std::memory_order_relaxed);
}

// Owner. The youngest, if it is of that scope. What `youngest` says may have been stolen, and its
// block be any fiber's by now: pop decides, and then it was none of that.
control_block* take_child_of(processor& p, std::uint64_t scope) noexcept {
  child_deque* const deque = p.children.load(std::memory_order_relaxed);
  if (!deque || chaos::strikes(chaos::point::direct)) return nullptr;
  control_block* const youngest = deque->queued.youngest();
  if (!youngest || scope_of(*youngest) != scope || !deque->queued.pop()) return nullptr;
  return youngest;
}

// A long look is due, or others are to run before: from there the deque's turn goes on with the
// youngest.
bool may_go_on(processor& p, std::uint64_t scope) noexcept {
  if (p.tick + 1 < look_every && !p.slot.load(std::memory_order_relaxed)) return true;
  p.going_on_with = scope;
  return false;
}
}  // namespace

void start_child(control_block& block) noexcept {
  thread_header* const header = current();
  const runtime_core& core = *block.rt.load(std::memory_order_relaxed);
  if (!header->held || header->held->core != &core) return start_block(block);
  if (is_observed(core)) [[unlikely]] {
    block.flags |= fiber_flag::observed;
    observe_spawn(block);
  }
  const section inside(header);
  processor& p = *header->held;
  const bool alone = p.ring.size() == 0 && !has_children(p);
  child_deque* const deque = deque_to_push(p);
  if (!deque) [[unlikely]]
    return start_local(p, block);
  begin_clock(block);
  // Before the push, which releases it to a thief: alive() in drain.hpp relies on that.
  bump(p.count.spawned);
  deque->queued.push(&block);
  if (p.solo) return;
  if (!alone) return wake_for_local(p);
  bump(p.slot_pushes);  // one that is joined at once, as in a slot, is worth no wake
  wake_for_slot(p);
}

wake_reason park_for_children(const void* scope, bool cancellable, publish_fn publish,
                              void* arg) noexcept {
  thread_header* header = current();
  control_block& me = *header->fiber;
  ++header->section;
  processor& p = *header->held;
  const auto mark = reinterpret_cast<std::uintptr_t>(scope);
  control_block* next = may_go_on(p, mark) ? take_child_of(p, mark) : nullptr;
  if (next) [[likely]]
    ++p.tick;
  else
    next = pick_next(p);
  header = park_into(header, next, wait_kind::scope, scope, cancellable, publish, arg);
  --header->section;
  return me.word.reason();
}

control_block* pick_sibling(processor& p) noexcept {
  const std::uint64_t scope = p.siblings_of;
  p.siblings_of = 0;
  if (may_go_on(p, scope)) {
    if (control_block* const next = take_child_of(p, scope)) {
      ++p.tick;
      return next;
    }
  }
  return pick_next(p);
}

control_block* pick_child(processor& p) noexcept {
  child_deque* const deque = p.children.load(std::memory_order_relaxed);
  if (!deque) return nullptr;
  const std::uint32_t stamp = p.stamp.load(std::memory_order_relaxed);
  const std::uint64_t scope = p.going_on_with;
  p.going_on_with = 0;
  if (scope && stamp == p.oldest_at) {
    if (control_block* const next = take_child_of(p, scope)) return next;
  }
  p.oldest_at = stamp;
  return deque->queued.steal();
}

control_block* steal_child(runtime_core& core, processor& me, std::uint32_t first) noexcept {
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    const processor& victim = *core.processors[(first + i) % core.workers];
    child_deque* const deque = &victim == &me ? nullptr : deque_of(victim);
    control_block* const block = deque ? deque->queued.steal() : nullptr;
    if (!block) continue;
    bump(me.count.steals);
    if (is_observed(core)) [[unlikely]]
      observe_steal(current(), victim.index, *block);
    return block;
  }
  return nullptr;
}

void forget_children(processor& p) noexcept {
  // relaxed: carriers, monitor and visitors are gone.
  delete p.children.load(std::memory_order_relaxed);
  p.children.store(nullptr, std::memory_order_relaxed);
  p.siblings_of = p.going_on_with = 0;
  p.oldest_at = 0;
  p.children_first = p.children_pass = false;
}

bool has_children(const processor& p) noexcept {
  const child_deque* const deque = deque_of(p);
  return deque && !deque->queued.empty();
}

std::uint32_t count_children(const processor& p) noexcept {
  const child_deque* const deque = deque_of(p);
  return deque ? deque->queued.size() : 0;
}
}  // namespace weft::detail
