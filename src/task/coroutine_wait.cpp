#include <weft/coroutine.hpp>

#include <weft/operation_canceled.hpp>

#include "base/asymmetric_fence.hpp"
#include "base/fatal.hpp"
#include "channel/enter.hpp"
#include "park/park.hpp"
#include "sched/spawn.hpp"
#include "sync/core_of.hpp"
#include "sync/event_core.hpp"
#include "sync/points.hpp"
#include "sync/queued_wait.hpp"
#include "task/future_core.hpp"

// What waits is the block of a fiber that has not begun. Its word is opened under the queue's lock,
// with the node linked: whoever wants to wake it needs that lock, and whoever cancels it makes the
// fiber begin, which takes the lock before it looks at the node. So nobody is in the coroutine's
// frame when it is resumed, and this side does not touch it once the lock is released.
namespace weft::detail {
namespace {
control_block& make_sleeper(coroutine_wait* awaiting, coroutine_wait**& closure, void (*run)(void*),
                            const void* caller) {
  const spawn_place made = begin_spawn(nullptr, {});
  made.block->site_file = address_as_site(caller);
  closure = ::new (made.closure) coroutine_wait*(awaiting);
  made.block->invoke = run;
  made.block->joiner_epoch.store(0, std::memory_order_relaxed);  // of no scope: see publish_end
  made.block->joiner.store(joiner_detached, std::memory_order_relaxed);  // published with the node
  start_block_parked(*made.block);
  return *made.block;
}
}  // namespace

template <class Enqueue>
bool coroutine_wait::begin_in(const void* object, void* lock, void* node, int kind,
                              std::coroutine_handle<> who, const void* caller, Enqueue&& enqueue) {
  object_ = object;
  lock_ = lock;
  node_ = node;
  who_ = who;
  control_block& block = make_sleeper(this, sleeper_, run, caller);
  block.waits_for = static_cast<wait_kind>(kind);
  block.waits_on = object;
  block.exceptions.since = stamp_now();
  const wait_token token{&block, block.word.next_epoch()};
  bool waits = false;
  {
    const spin_guard guard(*static_cast<spin_lock*>(lock));
    static_cast<waiter*>(node)->token = token;
    waits_ = waits = enqueue();
    if (waits) block.word.begin(true);
  }
  if (!waits) {
    *sleeper_ = nullptr;
    make_ready(&block);
    return false;
  }
  // As in after_park. The block may be another's by now: only the epoch's claim decides.
  light_fence();
  if (stop_requested(block)) {
    if (const claimed_wait stopped = claim(token, wake_reason::cancel)) resume(stopped);
  }
  return true;
}

void coroutine_wait::run(void* closure) {
  control_block& block = *current()->fiber;
  block.waits_for = wait_kind::none;
  coroutine_wait* const waiting = *static_cast<coroutine_wait**>(closure);
  if (!waiting) return;  // abandoned
  coroutine_wait& me = *waiting;
  me.canceled_ = block.word.reason() == wake_reason::cancel;
  if (me.canceled_) {
    waiter& node = *static_cast<waiter*>(me.node_);
    const spin_guard guard(*static_cast<spin_lock*>(me.lock_));
    if (node.linked) wait_list::erase(node);
  }
  me.waits_ = false;
  me.who_.resume();
}

// The wait is claimed by this side, or the process ends: somebody is about to resume what goes
// away. But nobody ever will in a forked child, nor on the default runtime once the process exits.
// There the fiber that stands in is left with nothing to do, and in the child it is not even
// queued: the runtime's locks and descriptors are the parent's.
void coroutine_wait::abandon() noexcept {
  waiter& node = *static_cast<waiter*>(node_);
  const control_block& block = *node.token.block;
  const bool forked = has_forked();
  claimed_wait mine;
  {
    const spin_guard guard(*static_cast<spin_lock*>(lock_));
    mine = claim(node.token);
    // Who was claimed by close() is linked, too, but to a list of the closer's (channel_core.cpp).
    if (node.linked && (mine || block.word.reason() == wake_reason::cancel)) wait_list::erase(node);
  }
  if (!mine && !forked && !is_frozen_by_me(*block.rt.load(std::memory_order_relaxed))) {
    fatal("weft: a coroutine that waits for %p was destroyed while it was being resumed", object_);
  }
  *sleeper_ = nullptr;  // it has not begun, and nobody else can make it
  if (!forked) resume(mine);
}

void coroutine_wait::throw_if_canceled() const {
  if (canceled_) throw operation_canceled();
}

void queued_coroutine::end() const {
  if (waited_for()) order_acquire(waited_for());  // pairs with the release of who woke it
  throw_if_canceled();
}

bool queued_coroutine::begin(future_state_base& state, std::coroutine_handle<> who) {
  state.claim_deferred();
  future_core& of = core_of<future_core>(state.state_);
  waiter& node = core_of<waiter>(waiter_);
  return begin_in(&of, &queue_lock(&of), &node, static_cast<int>(wait_kind::future), who,
                  __builtin_return_address(0), [&] { return of.enqueue_locked(node); });
}

bool queued_coroutine::begin(event& of, std::coroutine_handle<> who) {
  event_core& core = core_of<event_core>(of.state_);
  waiter& node = core_of<waiter>(waiter_);
  return begin_in(&core, &queue_lock(&core), &node, static_cast<int>(wait_kind::event), who,
                  __builtin_return_address(0), [&] { return core.enqueue_locked(node); });
}

namespace {
struct receiver {
  channel_waiter node;
  channel_wait all;
};
}  // namespace

bool receiving_coroutine::try_now(destination to) noexcept {
  lock_point();
  return channel_core_of(*from_).try_receive(to) != channel_status::empty;
}

bool receiving_coroutine::begin(destination to, std::coroutine_handle<> who) {
  channel_core& core = channel_core_of(*from_);
  channel_waiter& node = core_of<receiver>(waiter_).node;
  channel_wait& all = core_of<receiver>(waiter_).all;
  all.first = &node;
  node.of = &all;
  node.at = &core;
  node.value = to.place;
  node.deliver = to.deliver;
  has_waited_ = true;
  order_release(&all);  // pairs with claim_first_locked
  attempt done;
  const bool waits = begin_in(&core, &core.lock(), &node, static_cast<int>(wait_kind::receive), who,
                              __builtin_return_address(0), [&] {
                                done = core.receive_locked(to);
                                if (done.status != channel_status::empty) return false;
                                core.link_locked(node);
                                return true;
                              });
  if (waits) return true;  // and all of this may be gone
  has_waited_ = false;
  order_forget(&all);
  finish_receive(done, to);
  return false;
}

void receiving_coroutine::end() {
  if (has_waited_) taken_up(core_of<receiver>(waiter_).all);
  throw_if_canceled();
}
}  // namespace weft::detail
