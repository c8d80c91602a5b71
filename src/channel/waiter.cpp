#include "channel/waiter.hpp"

#include <sched.h>

#include "park/wake_batch.hpp"

namespace weft::detail {
void release(channel_waiter& claimed) noexcept {
  order_release(claimed.of);  // pairs with await_release
  control_block* const block = claimed.token.block;
  const bool thread = block->flags & fiber_flag::kernel_thread;
  // release: pairs with the acquire in await_release.
  if (thread) [[unlikely]]
    claimed.of->released.store(true, std::memory_order_release);
  resume({block, thread});
}

void await_release(const channel_wait& mine, const control_block& me) noexcept {
  if (me.flags & fiber_flag::kernel_thread) [[unlikely]] {
    // acquire: pairs with the release in release().
    for (int spins = 0; !mine.released.load(std::memory_order_acquire); ++spins) {
      if (spins < 64) {
        cpu_relax();
      } else {
        ::sched_yield();  // the claimer may have been preempted
      }
    }
  }
  taken_up(mine);
}

void release_all(wait_list& claimed) noexcept {
  wake_batch fibers;
  while (waiter* const each = claimed.pop_front()) {
    auto& node = static_cast<channel_waiter&>(*each);
    if (node.token.block->flags & fiber_flag::kernel_thread) {
      release(node);
    } else {
      order_release(node.of);  // pairs with await_release
      fibers.add({node.token.block, false});
    }
  }
}
}  // namespace weft::detail
