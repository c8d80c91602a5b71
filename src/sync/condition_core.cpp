#include "sync/condition_core.hpp"

#include "park/wake_batch.hpp"
#include "sync/queued_wait.hpp"

namespace weft::detail {
namespace {
struct condition_wait {
  wait_list& queue;
  mutex_core& mutex;
  waiter node;
};

void publish_and_unlock(control_block* parked, void* arg) noexcept {
  auto& me = *static_cast<condition_wait*>(arg);
  claimed_wait next;
  {
    const queue_lock_pair guard(&me.queue, &me.mutex);
    me.node.token = {parked, parked->word.epoch()};
    me.queue.push_back(me.node);
    next = me.mutex.unlock_locked();
  }
  resume(next);
}
}  // namespace

bool condition_core::wait(mutex_core& mutex, owner_id me, nanos deadline) {
  condition_wait wait{queue_, mutex, {}};
  order_release(&mutex);  // pairs with try_lock: the publication runs on another fiber's clock
  const wait_end end =
      wait_plainly(wait_kind::condition, &queue_, deadline, publish_and_unlock, &wait);
  if (end != wait_end::woken) {
    const spin_guard guard(queue_lock(&queue_));
    if (wait.node.linked) wait_list::erase(wait.node);
  }
  mutex.lock(me, "weft::mutex");
  return end == wait_end::woken;
}

void condition_core::notify_one() noexcept {
  claimed_wait next;
  {
    const spin_guard guard(queue_lock(&queue_));
    next = claim_first_locked(queue_);
  }
  resume(next);
}

void condition_core::notify_all() noexcept {
  wake_all(queue_lock(&queue_), queue_);
}

void condition_core::end(const char* what) noexcept {
  if (!queue_.empty()) [[unlikely]]
    check_unused(&queue_, queue_, what);
}

void condition_any_wait::link(condition_core& condition) noexcept {
  queue_ = &condition.queue();
  const spin_guard guard(queue_lock(queue_));
  queue_->push_back(node_);
}

void condition_any_wait::publish(control_block* parked, void* arg) noexcept {
  auto& me = *static_cast<condition_any_wait*>(arg);
  const wait_token token{parked, parked->word.epoch()};
  {
    const spin_guard guard(queue_lock(me.queue_));
    if (me.node_.linked) {
      me.node_.token = token;
      return;
    }
  }
  end_unneeded(token);
}

bool condition_any_wait::park(nanos deadline) {
  return wait_plainly(wait_kind::condition, queue_, deadline, publish, this) == wait_end::woken;
}

void condition_any_wait::notify() noexcept {
  claimed_wait woken;
  {
    const spin_guard guard(queue_lock(queue_));
    if (!node_.linked) return;
    wait_list::erase(node_);
    if (node_.token.block) woken = claim(node_.token);
  }
  resume(woken);
}

void condition_any_wait::unlink() noexcept {
  const spin_guard guard(queue_lock(queue_));
  if (node_.linked) wait_list::erase(node_);
}
}  // namespace weft::detail
