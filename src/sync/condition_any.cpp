// condition_variable_any. The lock is the user's: to release it may park, so it cannot be released
// in the function that publishes the wait. So the waiter links itself first, without a token, while
// it holds the lock, and looks when it parks whether it has been taken out since: then it has been
// notified. No notification that comes after the release of the lock is missed, therefore, and
// nothing is touched behind it but the waiter's own frame.
#include <weft/condition_variable.hpp>

#include "park/park.hpp"
#include "park/wake_batch.hpp"
#include "sync/core_of.hpp"
#include "sync/points.hpp"
#include "sync/queued_wait.hpp"

namespace weft {
namespace detail {
namespace {
constexpr const char* name = "weft::condition_variable_any";

struct any_waiter {
  waiter node;
  wait_list* queue;
};

void publish(control_block* parked, void* arg) noexcept {
  auto& me = *static_cast<any_waiter*>(arg);
  const wait_token token{parked, parked->word.epoch()};
  {
    const spin_guard guard(queue_lock(me.queue));
    if (me.node.linked) {
      me.node.token = token;
      return;
    }
  }
  if (parked->word.claim(token.epoch, wake_reason::wake)) make_ready(parked);
}
}  // namespace

condition_frame::condition_frame(sync_storage<2>& queue) noexcept {
  auto& me = core_of<any_waiter>(state_);
  me.queue = &core_of<wait_list>(queue);
  const spin_guard guard(queue_lock(me.queue));
  me.queue->push_back(me.node);
}

condition_frame::~condition_frame() {
  auto& me = core_of<any_waiter>(state_);
  const spin_guard guard(queue_lock(me.queue));
  if (me.node.linked) wait_list::erase(me.node);
}

bool condition_frame::park(std::int64_t deadline) {
  auto& me = core_of<any_waiter>(state_);
  return wait_plainly(wait_kind::condition, me.queue, deadline, publish, &me) == wait_end::woken;
}

// In a stop callback, where nobody may give way.
void condition_frame::notify() noexcept {
  auto& me = core_of<any_waiter>(state_);
  claimed_wait woken;
  {
    const spin_guard guard(queue_lock(me.queue));
    if (!me.node.linked) return;
    wait_list::erase(me.node);
    if (me.node.token.block) woken = claim(me.node.token);
  }
  resume(woken);
}
}  // namespace detail

using detail::core_of;
using detail::wait_list;

condition_variable_any::~condition_variable_any() {
  wait_list& queue = core_of<wait_list>(state_);
  if (!queue.empty()) detail::check_unused(&queue, queue, detail::name);
}

void condition_variable_any::notify_one() noexcept {
  detail::notify_point();
  wait_list& queue = core_of<wait_list>(state_);
  detail::claimed_wait next;
  {
    const detail::spin_guard guard(detail::queue_lock(&queue));
    next = detail::claim_first_locked(queue);
  }
  detail::resume(next);
}

void condition_variable_any::notify_all() noexcept {
  detail::notify_point();
  wait_list& queue = core_of<wait_list>(state_);
  detail::wake_all(detail::queue_lock(&queue), queue);
}
}  // namespace weft
