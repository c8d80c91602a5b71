#include "channel/channel_core.hpp"

#include <sched.h>

#include <limits>
#include <new>
#include <stdexcept>

#include "park/wake_batch.hpp"
#include "sync/queued_wait.hpp"

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
  order_acquire(&mine);  // pairs with release
  order_forget(&mine);
}

namespace {
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
}  // namespace

void finish_send(const attempt& done, void* value) noexcept {
  if (!done.partner) return;
  done.partner->deliver(done.partner->value, value);
  release(*done.partner);
}

void finish_receive(const attempt& done, const destination& to) noexcept {
  if (!done.partner) return;
  if (done.direct) to.deliver(to.place, done.partner->value);
  release(*done.partner);
}

void channel_core::put_locked(std::uint32_t index, void* value) noexcept {
  std::byte* const at = slot(index);
  order_acquire(at);  // pairs with take_locked
  type_->put(at, value);
  order_release(at);  // pairs with take_locked
}

void channel_core::take_locked(const destination& to) noexcept {
  std::byte* const at = slot(head_);
  order_acquire(at);  // pairs with put_locked
  to.deliver(to.place, at);
  if (type_->destroy) type_->destroy(at);
  order_release(at);  // pairs with put_locked
}

channel_waiter* channel_core::claim_first_locked(wait_list& queue, wake_reason why) noexcept {
  while (waiter* first = queue.pop_front()) {
    auto& node = static_cast<channel_waiter&>(*first);
    if (!claim(node.token, why)) continue;
    order_acquire(node.of);  // pairs with park_locked, and select's
    node.of->chosen = &node;
    // The other cases of a select at this channel: it need not come back for them.
    for (channel_waiter* each = node.of->first; each; each = each->sibling) {
      if (each->at == this) unlink_locked(*each);
    }
    return &node;
  }
  return nullptr;
}

attempt channel_core::told_closed() const noexcept {
  order_acquire(&closed_);  // pairs with close
  return {channel_status::closed};
}

attempt channel_core::send_locked(void* value) noexcept {
  if (closed_.load(std::memory_order_relaxed)) [[unlikely]]
    return told_closed();
  if (!receivers_.empty()) {
    if (channel_waiter* const receiver = claim_first_locked(receivers_, wake_reason::wake)) {
      return {channel_status::ok, receiver, true};
    }
  }
  const std::uint32_t count = count_.load(std::memory_order_relaxed);
  if (count == capacity_) return {channel_status::full};
  const std::uint64_t tail = std::uint64_t{head_} + count;
  put_locked(static_cast<std::uint32_t>(tail < capacity_ ? tail : tail - capacity_), value);
  count_.store(count + 1, std::memory_order_relaxed);
  return {channel_status::ok};
}

attempt channel_core::receive_locked(const destination& to) noexcept {
  const std::uint32_t count = count_.load(std::memory_order_relaxed);
  channel_waiter* sender = nullptr;
  if (count > 0) {
    take_locked(to);
    const std::uint32_t freed = head_;
    head_ = next(freed);
    if (!senders_.empty()) sender = claim_first_locked(senders_, wake_reason::wake);
    if (sender) {
      put_locked(freed, sender->value);  // it was full: the place after the youngest
    } else {
      count_.store(count - 1, std::memory_order_relaxed);
    }
    return {channel_status::ok, sender};
  }
  if (!senders_.empty()) sender = claim_first_locked(senders_, wake_reason::wake);
  if (sender) return {channel_status::ok, sender, true};
  if (closed_.load(std::memory_order_relaxed)) return told_closed();
  return {channel_status::empty};
}

namespace {
void publish_unlock(control_block*, void* lock) noexcept {
  static_cast<spin_lock*>(lock)->unlock();
}
}  // namespace

// The lock is released when the wait is open, in any case when this returns.
channel_status channel_core::park_locked(control_block& me, wait_kind kind, channel_waiter& node,
                                         nanos deadline) {
  channel_wait mine;
  mine.first = &node;
  node.of = &mine;
  node.at = this;
  node.token = {&me, me.word.next_epoch()};
  order_release(&mine);  // pairs with claim_first_locked
  link_locked(node);
  wait_end end;
  try {
    end = wait(kind, this, deadline, publish_unlock, &lock_);
  } catch (...) {  // no place for the timer; nothing was published
    unlink_locked(node);
    lock_.unlock();
    throw;
  }
  if (end == wait_end::woken || end == wait_end::closed) {
    await_release(mine, me);
    return end == wait_end::woken ? channel_status::ok : channel_status::closed;
  }
  {
    const spin_guard guard(lock_);
    unlink_locked(node);
  }
  throw_if_ended(end);
  return channel_status::timeout;
}

channel_status channel_core::send(control_block& me, void* value, nanos deadline) {
  lock_.lock();
  const attempt done = send_locked(value);
  if (done.status != channel_status::full) {
    lock_.unlock();
    finish_send(done, value);
    return done.status;
  }
  if (deadline <= 0) {
    lock_.unlock();
    return channel_status::timeout;
  }
  channel_waiter node;
  node.value = value;
  return park_locked(me, wait_kind::send, node, deadline);
}

channel_status channel_core::try_send(void* value) noexcept {
  lock_.lock();
  const attempt done = send_locked(value);
  lock_.unlock();
  finish_send(done, value);
  return done.status;
}

channel_status channel_core::receive(control_block& me, const destination& to, nanos deadline) {
  lock_.lock();
  const attempt done = receive_locked(to);
  if (done.status != channel_status::empty) {
    lock_.unlock();
    finish_receive(done, to);
    return done.status;
  }
  if (deadline <= 0) {
    lock_.unlock();
    return channel_status::timeout;
  }
  channel_waiter node;
  node.value = to.place;
  node.deliver = to.deliver;
  return park_locked(me, wait_kind::receive, node, deadline);
}

channel_status channel_core::try_receive(const destination& to) noexcept {
  lock_.lock();
  const attempt done = receive_locked(to);
  lock_.unlock();
  finish_receive(done, to);
  return done.status;
}

// A batch at a time, not to hold the lock for long: nobody begins to wait at a closed channel.
void channel_core::close() noexcept {
  constexpr int most = 256;
  order_release(&closed_);  // pairs with send_locked, receive_locked, closed
  for (bool begun = false;; begun = true) {
    wait_list claimed;  // of frames that are ours until they are released
    int count = 0;
    {
      const spin_guard guard(lock_);
      if (!begun && closed_.load(std::memory_order_relaxed)) return;
      // release: pairs with the acquire in closed().
      closed_.store(true, std::memory_order_release);
      for (wait_list* const queue : {&senders_, &receivers_}) {
        while (count < most) {
          channel_waiter* const each = claim_first_locked(*queue, wake_reason::closed);
          if (!each) break;
          claimed.push_back(*each);
          ++count;
        }
      }
    }
    release_all(claimed);
    if (count < most) return;
  }
}

void channel_core::begin(std::size_t capacity, const value_type& type) {
  if (capacity > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("weft::channel: a capacity of more than 4,294,967,295 values");
  }
  type_ = &type;
  capacity_ = static_cast<std::uint32_t>(capacity);
  if (capacity == 0) return;
  if (capacity > std::numeric_limits<std::ptrdiff_t>::max() / type.size) {
    throw std::length_error("weft::channel: the buffer would be larger than PTRDIFF_MAX bytes");
  }
  slots_ = static_cast<std::byte*>(
      ::operator new (capacity* type.size, std::align_val_t{type.alignment}));
}

void channel_core::end() noexcept {
  for (const wait_list* const queue : {&senders_, &receivers_}) {
    if (!queue->empty()) [[unlikely]]
      check_unused(this, lock_, *queue, "weft::channel");
  }
  std::uint32_t at = head_;
  for (std::uint32_t left = count_.load(std::memory_order_relaxed); left > 0; --left) {
    std::byte* const value = slot(at);
    order_acquire(value);  // pairs with put_locked
    if (type_->destroy) type_->destroy(value);
    at = next(at);
  }
  if (!slots_) return;
  for (std::uint32_t i = 0; thread_sanitizer && i < capacity_; ++i) order_forget(slot(i));
  ::operator delete (slots_, std::align_val_t{type_->alignment});
}
}  // namespace weft::detail
