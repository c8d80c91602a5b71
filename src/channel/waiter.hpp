#pragma once
#include "park/wait_list.hpp"

// Those that wait for channels.
//
// A send or receive that cannot go on at once is one waiter; a select is one for each of its cases,
// all with the same token. They lie in the frame of who waits. INVARIANTS:
// - A waiter is linked, unlinked and looked at with its channel's lock held. One that is linked has
//   a frame that is alive: nobody leaves the wait before all its waiters are unlinked.
// - Who claims the wait, with the lock held, owns the frame from there to release(): it unlinks,
//   moves the value from frame to frame, with no lock held, and says which waiter it was. For a
//   fiber that is so anyway: nobody runs it before the claimer makes it ready. A kernel thread sees
//   the claim by itself, and goes on when `released` tells it to.
// - release() is the claimer's last touch of the frame, and comes after its last touch of the
//   channel. So whoever returns from the wait may destroy the channel.
namespace weft::detail {
class channel_core;
struct channel_waiter;

// The whole of an operation that waits.
struct channel_wait {
  channel_waiter* first = nullptr;   // its waiters
  channel_waiter* chosen = nullptr;  // the claimed one
  atomic<bool> released{false};      // kernel threads only
};

struct channel_waiter : waiter {
  channel_wait* of = nullptr;
  channel_waiter* sibling = nullptr;  // the next of the same select
  channel_core* at = nullptr;
  void* value = nullptr;  // to be sent; or where what is received goes
  void (*deliver)(void* place, void* from) noexcept = nullptr;  // null: it sends
};

// With no lock held, by who has claimed the wait. The frame may be gone afterwards.
void release(channel_waiter& claimed) noexcept;
void release_all(wait_list& claimed) noexcept;
// By the one whose wait was claimed, before it leaves its frame.
void await_release(const channel_wait& mine, const control_block& me) noexcept;
// What that is for a fiber.
inline void taken_up(const channel_wait& mine) noexcept {
  order_acquire(&mine);  // pairs with release
  order_forget(&mine);
}
}  // namespace weft::detail
