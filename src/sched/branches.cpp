// How branches are offered to thieves and stolen, and when they become fibers.
#include "sched/branches.hpp"

#include <exception>
#include <new>
#include <weft/detail/pieces.hpp>

#include "sched/explorer.hpp"
#include "sched/internal.hpp"
#include "sched/observe.hpp"
#include "sched/spawn.hpp"
#include "sched/spawn_local.hpp"

namespace weft::detail {
namespace {
// Whether less than half of the stack is left. A branch that is called has what is left, one that
// is a fiber has a whole stack.
[[gnu::always_inline]] inline bool is_crowded(const control_block& me,
                                              const fork_frame& here) noexcept {
  // Locals may lie elsewhere under AddressSanitizer; to ask for the frame's address costs a frame.
  const void* const on = address_sanitizer ? __builtin_frame_address(0) : &here;
  const auto* const at = static_cast<const std::byte*>(on);
  return (at - me.stk.lo) * 2 < me.stk.hi - me.stk.lo;
}

[[gnu::always_inline]] inline fork_state& open(fork_frame& frame, const thread_header* header,
                                               control_block& me, fork_lane* lane) noexcept {
  fork_state& f = state_of(frame);
  f.owner = &me;
  f.lane = lane;
  f.deadline = me.deadline;
  const unsigned uncaught = header->exceptions->uncaught;
  const bool shielded = me.shielded || uncaught != 0;
  // As in scope_deadline_on.
  if (uncaught > me.deadline_level) [[unlikely]]
    f.deadline = never;
  // Nobody knows the frame yet. What publishes a branch publishes it.
  ::new (&f.word)
      atomic<std::uint64_t>(cancel_frame::of_fork | (shielded ? cancel_frame::shielded : 0));
  if (me.flags & fiber_flag::forked) [[likely]] {
    f.parent = me.frame;
  } else {
    f.parent = nullptr;
    me.flags |= fiber_flag::forked;
  }
  me.frame = &f;
  return f;
}

// The calling carrier's lane, made now. Null: its fibers must not offer, or there is no memory.
fork_lane* make_lane(thread_header* header) noexcept {
  if (chaos::on() || (thread_sanitizer && !watches_scheduler) || header->exploring ||
      !header->self) {
    return nullptr;
  }
  carrier& self = *header->self;
  fork_lane* lane = self.lane.load(std::memory_order_relaxed);
  if (!lane) {
    lane = new (std::nothrow) fork_lane;
    // release: pairs with lane_of.
    if (lane) self.lane.store(lane, std::memory_order_release);
  }
  return header->lane = lane;
}

fork_lane* lane_of(const processor& p) noexcept {
  const carrier* const holder = p.holder.load(std::memory_order_relaxed);
  // acquire: pairs with make_lane.
  return holder ? holder->lane.load(std::memory_order_acquire) : nullptr;
}

// A block with all that a fiber needs but the branch. Null: a limit is reached.
control_block* make_fiber(processor& p) noexcept {
  if (control_block* block = make_from_stock(p)) return block;
  try {
    return make_block(*p.core);
  } catch (const std::exception&) {
    return nullptr;
  }
}

// The block is to run `b`, and is detached: the branch settles with its caller.
void fill(control_block& block, branch& b) noexcept {
  const control_block& owner = *call_of(b).owner;
  block.size_class = owner.size_class;
  block.invoke = run_as_fiber;
  block.site_file = address_as_site(reinterpret_cast<const void*>(code_of(b).run));
  block.site_line = 0;
  *static_cast<branch**>(closure_memory(block.closure)) = &b;
  block.joiner.store(joiner_detached, std::memory_order_relaxed);
  block.joiner_epoch.store(0, std::memory_order_relaxed);  // of no scope: see publish_end
}

// Owner of the processor: the rest of what start_block does, but for queueing.
void announce(processor& p, control_block& block) noexcept {
  if (is_observed(*p.core)) {
    block.flags |= fiber_flag::observed;
    observe_spawn(block);
  }
  begin_clock(block);
  bump(p.count.spawned);
}

void keep(branch& b) noexcept {
  b.code =
      reinterpret_cast<const branch_code*>(reinterpret_cast<std::uintptr_t>(b.code) | kept_mark);
}

[[gnu::noinline]] fork_way wake_slow(thread_header* header, fork_lane& lane) noexcept {
  processor& p = *header->held;
  // Held back as wakes for a slot are: mostly the caller comes back first.
  if (++lane.unheard >= p.core->slot_wake_hold.load(std::memory_order_relaxed)) {
    lane.unheard = 0;
    const section inside(header);
    wake_one(*p.core, &p);
  }
  return fork_way::offered;
}

[[gnu::noinline]] fork_way begin_slow(thread_header* header, fork_frame& frame, branch* branches,
                                      std::size_t count) noexcept {
  if (!header->fiber) return fork_way::no_fiber;
  if (!header->lane && make_lane(header)) return begin_fork(header, frame, branches, count);
  open(frame, header, *header->fiber, nullptr);
  if (is_crowded(*header->fiber, frame)) return fork_way::crowded;
  spawn_branches(frame, branches, count);
  return fork_way::spawned;
}

// No call but at the end, so that it needs no frame.
[[gnu::always_inline]] inline fork_way begin(thread_header* header, fork_frame& frame,
                                             branch* branches, std::size_t count) noexcept {
  control_block* const me = header->fiber;
  fork_lane* const lane = header->lane;
  if (!lane || chaos::on() || is_crowded(*me, frame) || !lane->offered.fits(count)) [[unlikely]] {
    return begin_slow(header, frame, branches, count);
  }
  open(frame, header, *me, lane);
  for (std::size_t i = count; i-- > 0;) lane->offered.push(&branches[i]);
  if (header->held->core->idle.should_wake()) [[unlikely]]
    return wake_slow(header, *lane);
  return fork_way::offered;
}
}  // namespace

void* fork_thread() noexcept {
  return current();
}

fork_way begin_fork(void* thread, fork_frame& frame, branch* branches, std::size_t count) noexcept {
  return begin(static_cast<thread_header*>(thread), frame, branches, count);
}

fork_way begin_fork(void* thread, fork_frame& frame, branch* only) noexcept {
  return begin(static_cast<thread_header*>(thread), frame, only, 1);
}

// Not by the lane: where it must not be, in a crowd, and where it is full.
void spawn_branches(fork_frame& frame, branch* branches, std::size_t count) noexcept {
  runtime_core& core = *state_of(frame).owner->rt.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < count; ++i) {
    control_block* block = nullptr;
    try {
      block = make_block(core);
    } catch (const std::exception&) {
      keep(branches[i]);
      continue;
    }
    fill(*block, branches[i]);
    start_block(*block);
  }
}

void spill_branches(thread_header* header, control_block& me) noexcept {
  fork_lane* const lane = header->lane;
  if (!lane) return;
  // Those of outer calls lost the name when these did.
  for (cancel_frame* f = me.frame; f && f->owner == &me; f = f->parent) {
    if (!(f->word.load(std::memory_order_relaxed) & cancel_frame::of_fork)) continue;
    auto& call = static_cast<fork_state&>(*f);
    if (!call.lane) break;
    call.lane = nullptr;
  }
  if (lane->offered.empty()) return;
  processor& p = *header->held;
  while (branch* const b = lane->offered.steal()) {
    control_block* const block = make_fiber(p);
    if (!block) {
      keep(*b);
      continue;
    }
    fill(*block, *b);
    announce(p, *block);
    push_ring(p, block);
  }
  wake_for_local(p);
}

void spill_now(thread_header* header) noexcept {
  const section inside(header);
  spill_branches(header, *header->fiber);
}

control_block* steal_branch(runtime_core& core, processor& me, std::uint32_t first) noexcept {
  control_block* block = nullptr;
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    const processor& victim = *core.processors[(first + i) % core.workers];
    fork_lane* const lane = &victim == &me ? nullptr : lane_of(victim);
    if (!lane || lane->offered.empty()) continue;
    // Fiber and stack first: a branch that has been stolen cannot be given back.
    if (!block) {
      const stack bound = me.stacks.take(core.default_class);
      if (!bound) return nullptr;
      me.stacks.give(core.default_class, bound);
      block = make_fiber(me);
      if (!block) return nullptr;
    }
    branch* const b = lane->offered.steal();
    if (!b) continue;
    bump(me.count.steals);
    fill(*block, *b);
    announce(me, *block);
    if (is_observed(core)) [[unlikely]]
      observe_steal(current(), victim.index, *block);
    return block;
  }
  if (block) unmake_block(*block);
  return nullptr;
}

bool offers_branches(const processor& p) noexcept {
  const fork_lane* const lane = lane_of(p);
  return lane && !lane->offered.empty();
}

bool wants_branches(unsigned depth) noexcept {
  thread_header* const header = current();
  const fork_lane* const lane = header->lane ? header->lane : make_lane(header);
  // Each branch is a fiber: some are enough.
  if (!lane) return depth < 3;
  const processor& p = *header->held;
  if (p.solo) return false;
  // Some for each worker at the beginning: while a call lasts, nothing is divided.
  const std::uint64_t some = 4 * p.core->workers;
  if (depth < 16 && std::uint64_t{1} << depth < some) return true;
  // Later, when thieves have taken the last. Calls that park empty the lane, too, and would make
  // fibers without end.
  return lane->offered.empty() && p.ring.size() == 0 && !has_children(p) &&
         p.core->branches.load(std::memory_order_relaxed) < 2 * some;
}
}  // namespace weft::detail
