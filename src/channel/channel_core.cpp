#include "channel/channel_core.hpp"

#include <limits>
#include <new>
#include <stdexcept>

#include "channel/park_locked.hpp"
#include "sync/queued_wait.hpp"

namespace weft::detail {
channel_waiter* channel_core::claim_first_locked(wait_list& queue, wake_reason why) noexcept {
  while (waiter* first = queue.pop_front()) {
    auto& node = static_cast<channel_waiter&>(*first);
    if (node.process != process_copy()) [[unlikely]]
      continue;
    if (!node.token.block->word.claim(node.token.epoch, why)) [[unlikely]]
      continue;
    channel_wait& all = *node.of;
    order_acquire(&all);  // pairs with wait_locked, park_locked, and select's
    all.chosen = &node;
    // The other cases of a select at this channel: it need not come back for them.
    for (channel_waiter* each = all.first; each; each = each->sibling) {
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

// Inlined where it is hot, without an attempt in memory.
[[gnu::always_inline]] inline attempt channel_core::send_here_locked(void* value) noexcept {
  if (closed_.load(std::memory_order_relaxed)) [[unlikely]]
    return told_closed();
  if (!receivers_.empty()) {
    if (channel_waiter* const receiver = claim_first_locked(receivers_, wake_reason::wake)) {
      return {channel_status::ok, receiver, true};
    }
  }
  if (count_.load(std::memory_order_relaxed) == capacity_) return {channel_status::full};
  put_locked(value);
  return {channel_status::ok};
}

attempt channel_core::send_locked(void* value) noexcept {
  return send_here_locked(value);
}

[[gnu::always_inline]] inline attempt channel_core::receive_here_locked(destination to) noexcept {
  channel_waiter* sender = nullptr;
  if (count_.load(std::memory_order_relaxed) > 0) {
    take_locked(to);
    if (!senders_.empty()) sender = claim_first_locked(senders_, wake_reason::wake);
    if (sender) put_locked(sender->value);  // it was full
    return {channel_status::ok, sender};
  }
  if (!senders_.empty()) sender = claim_first_locked(senders_, wake_reason::wake);
  if (sender) return {channel_status::ok, sender, true};
  if (closed_.load(std::memory_order_relaxed)) return told_closed();
  return {channel_status::empty};
}

attempt channel_core::receive_locked(destination to) noexcept {
  return receive_here_locked(to);
}

namespace {
void publish_unlock(control_block*, void* lock) noexcept {
  static_cast<spin_lock*>(lock)->unlock();
}
}  // namespace

// The lock is held, and released when the wait is open, or else before this ends.
channel_status channel_core::wait_locked(control_block& me, wait_kind kind, channel_waiter& node,
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

// The same of a fiber without a deadline.
inline channel_status channel_core::park_locked(thread_header* header, wait_kind kind,
                                                channel_waiter& node) {
  control_block& me = *header->fiber;
  channel_wait mine;
  mine.first = &node;
  node.of = &mine;
  node.at = this;
  node.token = {&me, me.word.next_epoch()};
  order_release(&mine);  // pairs with claim_first_locked
  link_locked(node);
  switch (park_fiber_locked(header, kind, this, lock_)) {
    case wake_reason::wake:
      taken_up(mine);
      return channel_status::ok;
    case wake_reason::closed:
      taken_up(mine);
      return channel_status::closed;
    default:
      break;
  }
  {
    const spin_guard guard(lock_);
    unlink_locked(node);
  }
  throw_if_ended(wait_end::cancelled);
  return channel_status::timeout;  // not reached
}

// Lets go of the lock meanwhile: the operation is to be tried again.
void channel_core::spill_unlocked(thread_header* header) noexcept {
  lock_.unlock();
  spill_now(header);
  lock_.lock();
}

channel_status channel_core::send_or_park_locked(thread_header* header, void* value) {
  attempt done = send_here_locked(value);
  if (done.status == channel_status::full && offers_branches(header)) [[unlikely]] {
    spill_unlocked(header);
    done = send_locked(value);
  }
  if (done.status == channel_status::full) {
    channel_waiter node;
    node.value = value;
    return park_locked(header, wait_kind::send, node);
  }
  lock_.unlock();
  finish_send(done, value);
  return done.status;
}

channel_status channel_core::receive_or_park_locked(thread_header* header, destination to) {
  attempt done = receive_here_locked(to);
  if (done.status == channel_status::empty && offers_branches(header)) [[unlikely]] {
    spill_unlocked(header);
    done = receive_locked(to);
  }
  if (done.status == channel_status::empty) {
    channel_waiter node;
    node.value = to.place;
    node.deliver = to.deliver;
    return park_locked(header, wait_kind::receive, node);
  }
  lock_.unlock();
  finish_receive(done, to);
  return done.status;
}

channel_status channel_core::send_until(control_block& me, void* value, nanos deadline) {
  lock_.lock();
  attempt done = send_locked(value);
  if (done.status == channel_status::full && deadline > 0 && offers_branches(current())) {
    spill_unlocked(current());
    done = send_locked(value);
  }
  if (done.status == channel_status::full && deadline > 0) {
    channel_waiter node;
    node.value = value;
    return wait_locked(me, wait_kind::send, node, deadline);
  }
  lock_.unlock();
  finish_send(done, value);
  return done.status == channel_status::full ? channel_status::timeout : done.status;
}

channel_status channel_core::receive_until(control_block& me, destination to, nanos deadline) {
  lock_.lock();
  attempt done = receive_locked(to);
  if (done.status == channel_status::empty && deadline > 0 && offers_branches(current())) {
    spill_unlocked(current());
    done = receive_locked(to);
  }
  if (done.status == channel_status::empty && deadline > 0) {
    channel_waiter node;
    node.value = to.place;
    node.deliver = to.deliver;
    return wait_locked(me, wait_kind::receive, node, deadline);
  }
  lock_.unlock();
  finish_receive(done, to);
  return done.status == channel_status::empty ? channel_status::timeout : done.status;
}

channel_status channel_core::try_send(void* value) noexcept {
  lock_.lock();
  const attempt done = send_locked(value);
  lock_.unlock();
  finish_send(done, value);
  return done.status;
}

channel_status channel_core::try_receive(destination to) noexcept {
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
