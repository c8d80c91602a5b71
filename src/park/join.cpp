// Waiting for a fiber's end. control_block::joiner goes
//   null -> joiner's block (registered) -> finished
//   null -> finished                       registered -> null (withdrawn after timeout or cancel)
//   null -> detached                       (the ending fiber recycles its own block)
// The owner of the fiber (its handle) registers, withdraws and detaches; the ending fiber moves it to
// finished. joiner_epoch is written before registering and read by the end only while registered.
#include "base/fatal.hpp"
#include "fiber/slab.hpp"
#include "park/park.hpp"

namespace weft::detail {
void publish_join(control_block* parked, void* arg) noexcept {
  auto* block = static_cast<control_block*>(arg);
  const wait_word::epoch_type epoch = parked->word.epoch();
  block->joiner_epoch = epoch;
  control_block* nobody = nullptr;
  // release: pairs with the acquire in publish_end: joiner_epoch. acquire: pairs with its release.
  if (!block->joiner.compare_exchange_strong(nobody, parked, std::memory_order_acq_rel,
                                             std::memory_order_acquire)) {
    // It has ended meanwhile. From here the claim decides, as if the end had made it.
    if (parked->word.claim(epoch, wake_reason::wake)) make_ready(parked);
  }
}

namespace {
// The fiber spawned last lies in this processor's slot and has not begun: run it at once, instead of
// queueing for it. Nobody else can reach it, so registering is a plain store.
bool run_now(control_block& block, bool cancellable, wake_reason& reason) noexcept {
  thread_header* header = current();
  if (!header->fiber || block.rt.load(std::memory_order_relaxed) != header->held->core) return false;
  {
    const section inside(header);
    if (!take_from_slot(*header->held, &block)) return false;
    block.joiner_epoch = header->fiber->word.next_epoch();
    // relaxed: the same thread runs the fiber next; if it migrates, its queue publishes this too.
    block.joiner.store(header->fiber, std::memory_order_relaxed);
  }
  reason = park_and_run(&block, wait_kind::join, &block, cancellable, nullptr, nullptr);
  return true;
}
}  // namespace

bool join_block(control_block& block, bool cancellable) {
  if (has_ended(block)) return true;
  wake_reason reason = wake_reason::none;
  if (!run_now(block, cancellable, reason)) {
    reason = park(wait_kind::join, &block, cancellable, publish_join, &block);
  }
  return reason == wake_reason::wake || withdraw_join(block);
}

bool withdraw_join(control_block& block) {
  control_block* me = &self_block();
  // acquire: as in has_ended.
  return !block.joiner.compare_exchange_strong(me, nullptr, std::memory_order_acq_rel,
                                               std::memory_order_acquire) &&
         me == joiner_finished;
}

void detach_block(control_block& block) noexcept {
  control_block* nobody = nullptr;
  // release: the ending fiber recycles the block after us. acquire: we do after it.
  if (!block.joiner.compare_exchange_strong(nobody, joiner_detached, std::memory_order_acq_rel,
                                            std::memory_order_acquire)) {
    recycle_block(block);
  }
}

void recycle_block(control_block& block) noexcept {
  renew_block(block);
  thread_header* header = current();
  if (header->held) {
    const section inside(header);
    header->held->blocks.give(&block);
  } else {
    slab_give(&block, &block);
  }
}
}  // namespace weft::detail
