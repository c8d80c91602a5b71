#pragma once
#include "park/park.hpp"

namespace weft::detail {
// fiber::join: a cancellation point. Waits until the fiber of `handle` has ended, recycles its
// block and empties the handle; its owner's only. Throws operation_canceled or deadline_exceeded,
// and std::system_error for oneself and in a forked child; the fiber is still to be joined then.
void join_and_recycle(control_block*& handle);
// The same for inner joins: neither cancelled nor limited.
void join_quietly(control_block& block) noexcept;
// Nobody will join. Its owner's only; the block may be gone when this returns.
void detach_block(control_block& block) noexcept;
inline bool has_ended(const control_block& block) noexcept {
  // acquire: pairs with the release in publish_end; all that the fiber did is visible.
  const bool ended = block.joiner.load(std::memory_order_acquire) == joiner_finished;
  order_acquire_if(ended, &block.joiner);  // pairs with publish_end
  return ended;
}
}  // namespace weft::detail
