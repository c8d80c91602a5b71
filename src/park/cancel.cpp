// Asking fibers to stop.
//
// INVARIANT. A fiber that was asked to stop and is in a cancellable wait has that wait ended.
//   the fiber:      F1 word := {epoch, parked, cancellable}   F2 light fence   F3 looks at the stop
//                   bits
//   the canceller:  C1 sets the bit   C2 heavy fence   C3 looks at the word
// By the property of the pair of fences, F3 sees C1 or C3 sees F1 (or a later wait of the same
// fiber, whose own F3 comes later still and sees C1). Whoever sees the other tries to claim the
// epoch; the claim decides against wakes and timeouts as usual, and losing it means that the wait
// has ended. The fiber's side is free of locked instructions because a park is hot and a stop
// request is rare.
//
// C2 is left out where a look without it has found a wait and won its claim. That wait is ended;
// and the claim hands C1 to the fiber that it resumes, so the F3 of each later wait sees it. To
// lose that claim proves nothing: another waker's does not bring C1.
#include <stop_token>

#include "base/asymmetric_fence.hpp"
#include "fiber/cancel_frame.hpp"
#include "fiber/extras.hpp"
#include "fiber/slab.hpp"
#include "park/park.hpp"
#include "sched/explorer.hpp"

namespace weft::detail {
namespace {
// C3. True: there was one, and this has ended it.
bool end_cancellable_wait(control_block& block) noexcept {
  const wait_word::epoch_type epoch = block.word.cancellable_epoch();
  // A cancellable wait is a fiber's, so it has a runtime, and its own processors are those that
  // publish.
  return epoch != 0 && cancel_wait(*block.rt.load(std::memory_order_acquire), block, epoch);
}

// True: it is the first.
bool set_stop_bit(control_block& block) noexcept {
  order_release(&block.cancel);  // pairs with stop_requested
  // seq_cst: C1, and pairs with stop_source_of, which makes the std state and then looks here.
  const std::uint32_t before =
      block.cancel.fetch_or(cancel_bit::stop_requested, std::memory_order_seq_cst);
  return !(before & cancel_bit::stop_requested);
}
}  // namespace

void mark_stop(control_block& block) noexcept {
  set_stop_bit(block);
}

void request_stop_word(control_block* block) noexcept {
  if (!set_stop_bit(*block)) return;
  if (!end_cancellable_wait(*block)) {
    heavy_fence();  // C2
    end_cancellable_wait(*block);
  }
  // S1 was C1. No runtime: it has not been anybody's yet.
  if (runtime_core* const core = block->rt.load(std::memory_order_acquire))
    stop_branches(*core, nullptr);
}

bool request_stop(control_block& block) noexcept {
  const bool explored = current()->exploring != nullptr;
  if (explored) explore_point(point_kind::stop_request);
  const bool first = !(block.cancel.load(std::memory_order_relaxed) & cancel_bit::stop_requested);
  // Before the fiber is woken, so that its token says so when the wait has ended; and again behind
  // the bit, for a state that is made meanwhile. Callbacks run here, on the requester, as std says,
  // and as long as they like: until the first call returns, the token is ahead of the bit.
  existing_stop_source(block).request_stop();
  request_stop_word(&block);
  existing_stop_source(block).request_stop();
  if (explored) explore_point(point_kind::stopped);
  return first;
}

void request_stop_all(runtime_core& core) noexcept {
  order_release(&core);  // pairs with stop_requested
  core.cancelling.fetch_or(cancelling_bit::stop, std::memory_order_seq_cst);  // C1 for all
  heavy_fence();
  slab_for_each(
      [](control_block& block, void* arg) {
        auto& owner = *static_cast<runtime_core*>(arg);
        // The order matters: epoch, then owner, then claim. Should the block have changed hands in
        // between, its epoch has moved on and the claim fails.
        // acquire: pairs with the release of rt at spawn, which comes after the block's renewal.
        const wait_word::epoch_type epoch = block.word.cancellable_epoch();
        if (block.rt.load(std::memory_order_acquire) != &owner) return;
        if (block.extras.load(std::memory_order_relaxed)) {
          share_stop_source(block, &owner).request_stop();
        }
        if (epoch != 0) cancel_wait(owner, block, epoch);
      },
      &core);
}

namespace {
// As stop_requested, but for what a failed sibling stops for the length of a call only: a token
// does not come back.
bool stopped_for_good(const control_block& block) noexcept {
  if (!stop_requested(block)) return false;
  if (!(block.cancel.load(std::memory_order_relaxed) & cancel_bit::frame_stopped)) return true;
  if (block.cancel.load(std::memory_order_relaxed) & cancel_bit::stop_requested) return true;
  const runtime_core& core = *block.rt.load(std::memory_order_relaxed);
  if (core.cancelling.load(std::memory_order_relaxed) & cancelling_bit::stop) return true;
  if (current()->fiber != &block) return false;
  const cancel_frame* frame = frame_of(block);
  while (frame && frame->owner == &block) frame = frame->parent;
  return chain_stopped(frame, nullptr);
}
}  // namespace

std::stop_source stop_state(control_block& block) {
  std::stop_source source = stop_source_of(block);
  // Either request_stop_all finds the state, or this finds the request: it sets `cancelling` and
  // then looks at the state under the lock under which it was stored.
  // Likewise stop_branches.
  if (stopped_for_good(block)) source.request_stop();
  return source;
}
}  // namespace weft::detail
