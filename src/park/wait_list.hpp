#pragma once
#include "base/futex.hpp"
#include "base/intrusive_list.hpp"
#include "sched/schedule.hpp"

// Those that wait for one object, in order.
//
// A node lies in its waiter's frame, or in a coroutine's. INVARIANTS, with the queue's lock held:
// - a linked node's frame is alive: nobody leaves the wait before its node is unlinked. A waker
//   unlinks what it takes; who wakes otherwise (timeout, cancel) takes the lock and looks.
// - a node that a waker has claimed may be gone at once: a kernel thread sees the claim by itself.
//   So a waker writes what the woken one is to find, and copies the token, before the claim.
// - a node without a block is nobody's: the end of what a wake of all is at work on.
// - a claim that fails means that timeout or cancel has won: the next in the queue is tried, so a
//   wake is never spent on somebody who has left.
namespace weft::detail {
struct waiter {
  waiter* previous = nullptr;
  waiter* next_waiter = nullptr;
  bool linked = false;
  wait_token token;
};

using wait_list = intrusive_list<waiter>;

// A wait that the caller has claimed, to be resumed once. A kernel thread goes on by itself as soon
// as it is claimed and may have ended, its block another's, so what it is was noted before.
struct claimed_wait {
  control_block* block = nullptr;
  bool thread = false;
  explicit operator bool() const noexcept { return block != nullptr; }
};

// Any thread, in a queue's lock or for a wait of its own.
inline claimed_wait claim(wait_token token, wake_reason why = wake_reason::wake) noexcept {
  const bool thread = token.block->flags & fiber_flag::kernel_thread;  // stable while it is open
  if (!token.block->word.claim(token.epoch, why)) return {};
  return {token.block, thread};
}

// With no queue's lock held.
inline void resume(claimed_wait woken) noexcept {
  if (woken.thread) {
    futex_wake(woken.block->word.futex_address(), 1);
  } else if (woken) {
    make_ready(woken.block);
  }
}

// Lock held. Takes waiters off the front until one's wait is still open, and claims that.
// `tell(waiter&)` comes before each claim. Empty: nobody waits.
template <class Tell>
claimed_wait claim_first_locked(wait_list& queue, Tell&& tell) noexcept {
  while (waiter* first = queue.pop_front()) {
    const wait_token token = first->token;
    if (!token.block) continue;
    tell(*first);
    if (const claimed_wait woken = claim(token)) return woken;
  }
  return {};
}
inline claimed_wait claim_first_locked(wait_list& queue) noexcept {
  return claim_first_locked(queue, [](waiter&) {});
}
}  // namespace weft::detail
