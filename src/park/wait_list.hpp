#pragma once
#include "base/futex.hpp"
#include "queue/wait_locks.hpp"
#include "sched/schedule.hpp"

// Those that wait for one object, in order.
//
// A node lies in its waiter's frame, or in a coroutine's. INVARIANTS, with the queue's lock held:
// - a linked node's frame is alive: nobody leaves the wait before its node is unlinked. A waker
//   unlinks what it takes; who wakes otherwise (timeout, cancel) takes the lock and looks.
// - a node that a waker has claimed may be gone at once: a kernel thread sees the claim by itself.
//   So a waker writes what the woken one is to find, and copies the token, before the claim.
// - a node without a block is of somebody on his way to park (condition_variable_any): that it was
//   unlinked is all that he has to be told.
// - a claim that fails means that timeout or cancel has won: the next in the queue is tried, so a
//   wake is never spent on somebody who has left.
// - in a forked child, the nodes from before are of threads that stayed in the parent.
namespace weft::detail {
struct wait_links {
  wait_links* previous = nullptr;
  wait_links* following = nullptr;
};

struct waiter : wait_links {
  bool linked = false;
  std::uint32_t process = 0;  // process_copy() when it was linked
  wait_token token;
};

// A ring through its head, so that a node leaves whatever list it is in without naming it: a waker
// of all takes them to a list of its own, after which it need not touch the object any more. All
// zero is empty.
class wait_list {
 public:
  constexpr wait_list() noexcept = default;
  wait_list(const wait_list&) = delete;
  wait_list& operator=(const wait_list&) = delete;

  bool empty() const noexcept { return !head_.following || head_.following == &head_; }
  waiter* front() const noexcept {
    return empty() ? nullptr : static_cast<waiter*>(head_.following);
  }
  void push_back(waiter& node) noexcept {
    close();
    insert(node, *head_.previous, head_);
  }
  void push_front(waiter& node) noexcept {
    close();
    insert(node, head_, *head_.following);
  }
  static void erase(waiter& node) noexcept {
    node.previous->following = node.following;
    node.following->previous = node.previous;
    node.linked = false;
  }
  waiter* pop_front() noexcept {
    waiter* const first = front();
    if (first) erase(*first);
    return first;
  }
  // All of `other`. This one is empty.
  void take(wait_list& other) noexcept {
    if (other.empty()) return;
    head_ = other.head_;
    head_.previous->following = head_.following->previous = &head_;
    other.head_ = {};
  }

 private:
  void close() noexcept {
    if (!head_.following) head_.previous = head_.following = &head_;
  }
  static void insert(waiter& node, wait_links& before, wait_links& after) noexcept {
    node.previous = &before;
    node.following = &after;
    before.following = after.previous = &node;
    node.linked = true;
    node.process = process_copy();
  }

  wait_links head_;
};

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

// In a function that is to publish a wait, for which there is no need after all; with no queue's
// lock held. A kernel thread publishes its own, and looks at it before it sleeps.
inline void end_unneeded(wait_token token) noexcept {
  const claimed_wait woken = claim(token);
  if (woken && !woken.thread) make_ready(woken.block);
}

// Lock held. Takes waiters off the front until one's wait is still open, and claims that.
// `tell(waiter&)` comes before each claim. Empty: nobody waits, or the first one has not parked
// yet.
template <class Tell>
claimed_wait claim_first_locked(wait_list& queue, Tell&& tell) noexcept {
  while (waiter* first = queue.pop_front()) {
    if (first->process != process_copy()) continue;
    const wait_token token = first->token;
    if (!token.block) break;
    tell(*first);
    if (const claimed_wait woken = claim(token)) return woken;
  }
  return {};
}
inline claimed_wait claim_first_locked(wait_list& queue) noexcept {
  return claim_first_locked(queue, [](waiter&) {});
}
}  // namespace weft::detail
