#pragma once
#include <weft/detail/channel_base.hpp>

#include "base/spin_lock.hpp"
#include "channel/waiter.hpp"
#include "time/timed_park.hpp"

// The queue below channel<T>, and those who wait at it.
//
// Everything is guarded by the lock, which lies in the channel: every operation takes it, so it may
// as well share their cache line. An operation that must wait links itself and parks with the lock
// held; it is released on the next stack, when the wait is open (park_locked). So a waiter that is
// found linked can be claimed at once, and nothing has to be looked at twice.
//
// INVARIANTS, with the lock free. A waiter is *live* while its wait is open; another case of its
// select, its deadline or a stop may have ended it, and then it unlinks itself, or has been
// unlinked.
// (1) While a receiver is live, the channel is empty, open, and no sender is live but those of the
//     receiver's own select.
// (2) While a sender is live, the channel is full (it always is, where the capacity is 0) and open.
// Proof. Whoever links itself has found nothing live to deal with in the other queue and no value
// or place, with the lock held; its own select's cases are not linked while it looks. Who comes
// later deals with a live waiter first, or, where it takes a value out of a full channel, moves a
// live sender's value into the place. close() claims all that wait before anybody can link himself
// again, because nobody does at a closed channel.
// So nobody waits for what is there, and values are received in the order in which they were sent.
//
// END. The last touch of the channel by any operation is the release of its lock; a waiter that was
// claimed does not touch it again. What was received was taken with the lock held, or comes from a
// waiter's claimer after it had released the lock. So whoever has received the last value may
// destroy the channel.
//
// VALUES. One that goes from frame to frame is moved with no lock held, when the claim has decided
// that it goes; so what ended by a timeout or a stop has moved nothing. In and out of the buffer
// values are moved with the lock held.
namespace weft::detail {
// What an operation has come to, with the lock held: `empty` and `full` mean that it must wait. A
// partner is claimed, and is released when the lock has been.
struct attempt {
  channel_status status;
  channel_waiter* partner = nullptr;
  bool direct = false;  // the value goes between its frame and ours
};

class channel_core {
 public:
  // All zero before. May throw.
  void begin(std::size_t capacity, const value_type& type);
  void end() noexcept;

  // Cancellation points, behind the look on entry. Of a fiber that has no deadline.
  channel_status send(thread_header*, void* value);
  channel_status receive(thread_header*, destination to);
  // Of anybody. `me`: the calling fiber's block, or the thread's stand-in.
  channel_status send_until(control_block& me, void* value, nanos deadline);
  channel_status receive_until(control_block& me, destination to, nanos deadline);
  channel_status try_send(void* value) noexcept;
  channel_status try_receive(destination to) noexcept;
  void close() noexcept;

  bool closed() const noexcept {
    // acquire: pairs with the release in close().
    const bool closed = closed_.load(std::memory_order_acquire);
    order_acquire_if(closed, &closed_);  // pairs with close
    return closed;
  }
  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t size() const noexcept { return count_.load(std::memory_order_relaxed); }

  // For select, with the lock held.
  spin_lock& lock() noexcept { return lock_; }
  attempt send_locked(void* value) noexcept;
  attempt receive_locked(destination to) noexcept;
  void link_locked(channel_waiter& node) noexcept { queue_of(node).push_back(node); }
  void unlink_locked(channel_waiter& node) noexcept {
    if (node.linked) queue_of(node).erase(node);
  }

 private:
  wait_list& queue_of(const channel_waiter& node) noexcept {
    return node.deliver ? receivers_ : senders_;
  }
  std::byte* slot(std::uint32_t index) const noexcept { return slots_ + index * type_->size; }
  std::uint32_t next(std::uint32_t index) const noexcept {
    return index + 1 == capacity_ ? 0 : index + 1;
  }
  // The buffer is not full: the value becomes its youngest. Not empty: the oldest one leaves it.
  void put_locked(void* value) noexcept;
  void take_locked(destination to) noexcept;
  channel_waiter* claim_first_locked(wait_list& queue, wake_reason why) noexcept;
  attempt send_here_locked(void* value) noexcept;
  attempt receive_here_locked(destination to) noexcept;
  // The lock is held, and is released. What cannot be done with the buffer alone.
  channel_status send_or_park_locked(thread_header*, void* value);
  channel_status receive_or_park_locked(thread_header*, destination to);
  void spill_unlocked(thread_header*) noexcept;
  channel_status park_locked(thread_header*, wait_kind kind, channel_waiter& node);
  channel_status wait_locked(control_block& me, wait_kind kind, channel_waiter& node,
                             nanos deadline);
  attempt told_closed() const noexcept;

  spin_lock lock_;
  atomic<bool> closed_{false};  // written with the lock held, as count_ is
  std::uint32_t capacity_ = 0;
  std::uint32_t head_ = 0;  // index of the oldest value
  atomic<std::uint32_t> count_{0};
  std::byte* slots_ = nullptr;
  wait_list senders_;
  wait_list receivers_;
  const value_type* type_ = nullptr;
};

inline void channel_core::put_locked(void* value) noexcept {
  const std::uint32_t count = count_.load(std::memory_order_relaxed);
  const std::uint64_t tail = std::uint64_t{head_} + count;
  std::byte* const at =
      slot(static_cast<std::uint32_t>(tail < capacity_ ? tail : tail - capacity_));
  count_.store(count + 1, std::memory_order_relaxed);
  order_acquire(at);  // pairs with take_locked
  type_->put(at, value);
  order_release(at);  // pairs with take_locked
}

inline void channel_core::take_locked(destination to) noexcept {
  const std::uint32_t head = head_;
  std::byte* const at = slot(head);
  head_ = next(head);
  count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  order_acquire(at);  // pairs with put_locked
  to.deliver(to.place, at);
  if (type_->destroy) type_->destroy(at);
  order_release(at);  // pairs with put_locked
}

inline channel_status channel_core::send(thread_header* header, void* value) {
  lock_.lock();
  if (!receivers_.empty() || count_.load(std::memory_order_relaxed) == capacity_ ||
      closed_.load(std::memory_order_relaxed)) {
    return send_or_park_locked(header, value);
  }
  put_locked(value);
  lock_.unlock();
  return channel_status::ok;
}

inline channel_status channel_core::receive(thread_header* header, destination to) {
  lock_.lock();
  if (count_.load(std::memory_order_relaxed) == 0 || !senders_.empty()) {
    return receive_or_park_locked(header, to);
  }
  take_locked(to);
  lock_.unlock();
  return channel_status::ok;
}

// With the lock released: gives the value to the partner, or takes it from there, and lets it go.
inline void finish_send(const attempt& done, void* value) noexcept {
  if (!done.partner) return;
  done.partner->deliver(done.partner->value, value);
  release(*done.partner);
}
inline void finish_receive(const attempt& done, destination to) noexcept {
  if (!done.partner) return;
  if (done.direct) to.deliver(to.place, done.partner->value);
  release(*done.partner);
}
}  // namespace weft::detail
