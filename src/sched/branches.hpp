#pragma once
#include <weft/detail/fork.hpp>

#include "fiber/cancel_frame.hpp"
#include "queue/fork_deque.hpp"
#include "sched/carrier.hpp"
#include "sched/processor.hpp"

// Branches of fork_join: how they are offered, stolen, made fibers, and joined. docs/scheduler.md
// has the whole; branches.cpp the offering, branch_join.cpp the end.
namespace weft::detail {
// What one carrier's fiber offers. The carrier's and not the processor's: a push and a pop touch no
// processor, and need no section. Type-stable, as the carrier.
//
// INVARIANT (lane). What lies in a carrier's lane are branches of calls that the fiber running
// there has made since it came there, and that fiber's frames of such calls, and no others, name
// the lane. Proof. Only begin_fork pushes, on the fiber that runs, and names the lane in its frame.
// A fiber that leaves its carrier, or enters blocking(), goes through spill_branches first, which
// empties the lane and the names: each such way tests fiber_flag::forked, which is set from the
// outermost call's beginning to its end. A fiber that ends has no frame left. So who finds the lane
// named in its frame owns it, and the youngest there is its own.
struct fork_lane {
  static constexpr std::uint32_t capacity = 4096;
  fork_deque<branch, capacity> offered;
  std::uint32_t unheard = 0;  // pushes since a processor was woken for one; owner
};

// What fork_frame is. Without constructors: the call makes what it needs, and most need little.
struct fork_state : cancel_frame {
  // In `word`, above its bits: branches that others run and that have not settled, once the owner
  // has counted those; until then minus those that have settled.
  static constexpr std::uint64_t one_out = std::uint64_t{1} << 32;

  fork_lane* lane;            // where its branches lie; null: they are fibers or were stolen
  nanos deadline;             // the caller's
  std::exception_ptr* error;  // of the one that stopped the frame
};
static_assert(sizeof(fork_state) == sizeof(fork_frame) &&
              alignof(fork_state) == alignof(fork_frame));

inline fork_state& state_of(fork_frame& frame) noexcept {
  return reinterpret_cast<fork_state&>(frame);
}

// A branch that could not be made a fiber is marked: its caller runs it.
inline constexpr std::uintptr_t kept_mark = 1;
inline bool is_kept(const branch& b) noexcept {
  return reinterpret_cast<std::uintptr_t>(b.code) & kept_mark;
}
inline const branch_code& code_of(const branch& b) noexcept {
  return *reinterpret_cast<const branch_code*>(reinterpret_cast<std::uintptr_t>(b.code) &
                                               ~kept_mark);
}
inline fork_state& call_of(branch& b) noexcept {
  branch* const first = &b - code_of(b).index;
  return *reinterpret_cast<fork_state*>(reinterpret_cast<std::byte*>(first) - sizeof(fork_state));
}

// First function of a branch's fiber (branch_join.cpp). closure: where the branch's address is.
void run_as_fiber(void* closure);

// The running fiber, in a section, about to leave its carrier: what it offers becomes fibers.
void spill_branches(thread_header*, control_block& me) noexcept;
// The running fiber, outside a section: does it offer any that nobody has taken yet? Then it spills
// them before it parks with a lock held, which it would do with the lock held otherwise.
inline bool offers_branches(const thread_header* header) noexcept {
  return header->lane && !header->lane->offered.empty();
}
void spill_now(thread_header*) noexcept;
// A thief, on its carrier's own stack: a fiber that runs the oldest branch of somebody's, looking
// from processor `first` on. Null: nobody offers any, or there is no fiber to run one on.
control_block* steal_branch(runtime_core&, processor& me, std::uint32_t first) noexcept;
// Any thread, approximate: whether the fiber that runs on `p` offers some.
bool offers_branches(const processor& p) noexcept;
}  // namespace weft::detail
