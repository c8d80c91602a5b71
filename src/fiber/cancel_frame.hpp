#pragma once
#include "fiber/control_block.hpp"

// A part of a program that can be stopped as one: the branches of a fork_join. Lies on the stack of
// the fiber that made the call, for the length of the call.
//
//   fiber X:  frame A <- frame B          X is in a fork_join inside another's branch
//                ^
//   fiber Y:     +-- frame C              Y runs a branch of A, and is in a fork_join of its own
//
// X's chain is B, A; Y's is C, A. What runs below a frame is its owner, and every fiber that has
// the frame in its chain. A frame outlives them there: its call returns when all have settled.
//
// INVARIANT. cancel_bit::frame_stopped is set in a fiber's word only while a frame in its chain is
// stopped, or another fiber that owns a frame in its chain was asked to stop. So cancellation
// points look at one word and walk no chain; who stops a frame tells all that run below it, see
// sched/branch_list.hpp.
namespace weft::detail {
struct cancel_frame {
  // Bits of `word`; the rest is the maker's.
  static constexpr std::uint64_t stopped = 1;   // sticky: a branch has failed
  static constexpr std::uint64_t shielded = 2;  // its maker's cancellation points do not look
  static constexpr std::uint64_t of_fork = 4;   // a fork_join's

  cancel_frame* parent;  // the next outer one, perhaps of another fiber; null: none
  control_block* owner;  // the fiber on whose stack it lies
  atomic<std::uint64_t> word;
};

// The fiber itself: the innermost frame that it runs below.
inline cancel_frame* frame_of(const control_block& me) noexcept {
  return me.flags & fiber_flag::forked ? me.frame : nullptr;
}
inline void set_frame(control_block& me, cancel_frame* frame) noexcept {
  if (frame) {
    me.frame = frame;
    me.flags |= fiber_flag::forked;
  } else {
    me.flags &= static_cast<std::uint8_t>(~fiber_flag::forked);
  }
}

// A fiber that runs below `frame`, by whose staying there the chain lives: whether the chain asks
// it to stop. `me`: frames of its own say nothing of its own stop bit, which it looks at anyway.
inline bool chain_stopped(const cancel_frame* frame, const control_block* me) noexcept {
  for (; frame; frame = frame->parent) {
    // seq_cst, both: pair with stop_branches and request_stop_word, see sched/branch_list.hpp.
    if (frame->word.load(std::memory_order_seq_cst) & cancel_frame::stopped) return true;
    if (frame->owner != me &&
        frame->owner->cancel.load(std::memory_order_seq_cst) & cancel_bit::stop_requested) {
      return true;
    }
  }
  return false;
}
}  // namespace weft::detail
