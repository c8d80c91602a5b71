#include <weft/condition_variable.hpp>

#include "base/fatal.hpp"
#include "park/wake_batch.hpp"
#include "sched/spawn.hpp"
#include "sync/core_of.hpp"
#include "sync/mutex_core.hpp"
#include "sync/points.hpp"
#include "sync/queued_wait.hpp"

// A waiter is linked, and its mutex released, with both queues' locks held: a notification that
// comes after the release finds it, and one that finds it finds the mutex released, so that a
// waiter that runs at once does not meet its own former ownership.
namespace weft {
namespace detail {
namespace {
constexpr const char* name = "weft::condition_variable";

struct condition_wait {
  wait_list& queue;
  mutex_core& mutex;
  waiter node;
};

void publish(control_block* parked, void* arg) noexcept {
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
}  // namespace detail

using detail::core_of;
using detail::mutex_core;
using detail::wait_list;

condition_variable::~condition_variable() {
  wait_list& queue = core_of<wait_list>(state_);
  if (!queue.empty()) detail::check_unused(&queue, queue, detail::name);
  detail::order_forget(&queue);
}

void condition_variable::notify_one() noexcept {
  detail::notify_point();
  wait_list& queue = core_of<wait_list>(state_);
  detail::claimed_wait next;
  {
    const detail::spin_guard guard(detail::queue_lock(&queue));
    next = detail::claim_first_locked(queue);
  }
  detail::resume(next);
}

void condition_variable::notify_all() noexcept {
  detail::notify_point();
  wait_list& queue = core_of<wait_list>(state_);
  detail::wake_all(detail::queue_lock(&queue), queue);
}

bool condition_variable::wait_until(std::unique_lock<mutex>& lock, std::int64_t deadline) {
  using namespace detail;
  const owner_id me = self_of(lock_point());
  mutex_core* const owned = lock.mutex() ? &core_of<mutex_core>(lock.mutex()->state_) : nullptr;
  wait_list& queue = core_of<wait_list>(state_);
  if (!lock.owns_lock() || (!owned->is_owned_by(me) && !has_forked())) {
    fatal("%s at %p: %s waits without owning the lock", name, static_cast<void*>(&queue),
          owner_name(me).text);
  }
  condition_wait wait{queue, *owned, {}};
  order_release(owned);  // pairs with try_lock: the publication runs on another fiber's clock
  const wait_end end = wait_plainly(wait_kind::condition, &queue, deadline, publish, &wait);
  if (end != wait_end::woken) {
    const spin_guard guard(queue_lock(&queue));
    if (wait.node.linked) wait_list::erase(wait.node);
  }
  owned->lock(me, "weft::mutex");
  return end == wait_end::woken;
}
}  // namespace weft
