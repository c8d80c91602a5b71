#include <weft/coroutine.hpp>

#include <weft/operation_canceled.hpp>

#include "base/asymmetric_fence.hpp"
#include "base/fatal.hpp"
#include "park/park.hpp"
#include "sched/spawn.hpp"
#include "sync/core_of.hpp"
#include "sync/event_core.hpp"
#include "sync/queued_wait.hpp"
#include "task/future_core.hpp"

// What waits is the block of a fiber that has not begun. Its word is opened under the queue's lock,
// with the node linked: whoever wants to wake it needs that lock, and whoever cancels it makes the
// fiber begin, which takes the lock before it looks at the node. So nobody is in the coroutine's
// frame when it is resumed, and this side does not touch it once the lock is released.
namespace weft::detail {
namespace {
control_block& make_sleeper(coroutine_wait* awaiting, coroutine_wait**& closure,
                            void (*run)(void*)) {
  const spawn_place made = begin_spawn(nullptr, {});
  closure = ::new (made.closure) coroutine_wait*(awaiting);
  made.block->invoke = run;
  made.block->joiner.store(joiner_detached, std::memory_order_relaxed);  // published with the node
  start_block_parked(*made.block);
  return *made.block;
}
}  // namespace

template <class Enqueue>
void coroutine_wait::begin_in(const void* object, int kind, std::coroutine_handle<> who,
                              Enqueue&& enqueue) {
  object_ = object;
  who_ = who;
  control_block& block = make_sleeper(this, sleeper_, run);
  block.waits_for = static_cast<wait_kind>(kind);
  block.waits_on = object;
  const wait_token token{&block, block.word.next_epoch()};
  bool waits = false;
  {
    const spin_guard guard(queue_lock(object));
    waiter& node = core_of<waiter>(waiter_);
    node.token = token;
    waits_ = true;
    block.word.begin(true);
    waits = enqueue(node);
  }
  if (!waits) {
    resume(claim(token));  // or a stop request has been first
    return;
  }
  // As in after_park. The block may be another's by now: only the epoch's claim decides.
  light_fence();
  if (stop_requested(block)) {
    if (const claimed_wait stopped = claim(token, wake_reason::cancel)) resume(stopped);
  }
}

void coroutine_wait::run(void* closure) {
  coroutine_wait* const waiting = *static_cast<coroutine_wait**>(closure);
  if (!waiting) return;  // abandoned
  coroutine_wait& me = *waiting;
  const control_block& block = *current()->fiber;
  me.canceled_ = block.word.reason() == wake_reason::cancel;
  if (me.canceled_) {
    waiter& node = core_of<waiter>(me.waiter_);
    const spin_guard guard(queue_lock(me.object_));
    if (node.linked) wait_list::erase(node);
  }
  order_acquire(me.object_);  // pairs with the release of who woke it
  me.waits_ = false;
  me.who_.resume();
}

void coroutine_wait::abandon() noexcept {
  claimed_wait mine;
  {
    const spin_guard guard(queue_lock(object_));
    waiter& node = core_of<waiter>(waiter_);
    if (node.linked) {
      wait_list::erase(node);
      mine = claim(node.token);
    }
  }
  if (!mine) {
    fatal("weft: a coroutine that waits for %p was destroyed while it was being resumed", object_);
  }
  *sleeper_ = nullptr;  // ours: it has not begun, and nobody else can make it
  resume(mine);
}

void coroutine_wait::begin(future_state_base& state, std::coroutine_handle<> who) {
  state.claim_deferred();
  future_core& of = core_of<future_core>(state.state_);
  begin_in(&of, static_cast<int>(wait_kind::future), who,
           [&of](waiter& node) { return of.enqueue_locked(node); });
}

void coroutine_wait::begin(event& of, std::coroutine_handle<> who) {
  event_core& core = core_of<event_core>(of.state_);
  begin_in(&core, static_cast<int>(wait_kind::event), who,
           [&core](waiter& node) { return core.enqueue_locked(node); });
}

void coroutine_wait::end() const {
  if (canceled_) throw operation_canceled();
}
}  // namespace weft::detail
