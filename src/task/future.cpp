#include <weft/future.hpp>
#include <weft/when.hpp>

#include "base/fatal.hpp"
#include "fiber/extras.hpp"
#include "park/wake_batch.hpp"
#include "sched/spawn.hpp"
#include "sync/core_of.hpp"
#include "sync/points.hpp"
#include "sync/queued_wait.hpp"
#include "sync/self.hpp"
#include "task/future_core.hpp"
#include "time/join.hpp"

namespace weft::detail {
namespace {
using storage = sync_storage<5>;

future_core& core(storage& state) noexcept {
  return core_of<future_core>(state);
}
const future_core& core(const storage& state) noexcept {
  return core_of<future_core>(const_cast<storage&>(state));
}

template <class Wait>
wait_end wait_in_queue(future_core& core, Wait&& wait) {
  waiter node;
  queued_wait queued(&core, node,
                     [&core](waiter& each) noexcept { return core.enqueue_locked(each); });
  const wait_end end = wait(queued);
  if (end == wait_end::woken) order_acquire(&core);  // pairs with end_set
  return end;
}
}  // namespace

void throw_future_error(std::future_errc error) {
  throw std::future_error(error);
}

future_state_base::future_state_base(bool deferred) noexcept
    : state_(deferred ? future_core::deferred : 0) {}

future_state_base::~future_state_base() {
  const future_core& of = core(state_);
  if (!of.queue.empty()) check_unused(&of, of.queue, "weft::future's state");
  order_forget(&of);
}

void future_state_base::retain() noexcept {
  core(state_).more_references.fetch_add(1, std::memory_order_relaxed);
}

void future_state_base::release() noexcept {
  order_release(this);  // pairs with the same of the last one
  // acq_rel: what the others did with the state comes before the last one destroys it.
  if (core(state_).more_references.fetch_sub(1, std::memory_order_acq_rel) != 0) return;
  order_acquire(this);  // pairs with the release of the others
  order_forget(this);
  destroy();
}

bool future_state_base::is_ready() const noexcept {
  return core(state_).is_ready();
}

// Whoever clears the bit runs the function.
void future_state_base::claim_deferred() noexcept {
  auto& flags = core(state_).flags;
  if (!(flags.load(std::memory_order_relaxed) & future_core::deferred)) return;
  const std::uint64_t before = flags.fetch_and(~future_core::deferred, std::memory_order_relaxed);
  if (before & future_core::deferred) run_deferred();
}

void future_state_base::wait() {
  throw_if_ended(entry_check());
  future_core& of = core(state_);
  claim_deferred();
  if (of.is_ready()) return;
  throw_if_ended(
      wait_in_queue(of, [](auto& queued) { return queued.cancellable(wait_kind::future); }));
}

std::future_status future_state_base::wait_until(std::int64_t deadline) {
  throw_if_ended(entry_check());
  future_core& of = core(state_);
  if (of.flags.load(std::memory_order_relaxed) & future_core::deferred) {
    return std::future_status::deferred;
  }
  if (of.is_ready()) return std::future_status::ready;
  if (deadline <= 0) return std::future_status::timeout;
  const wait_end end = wait_in_queue(
      of, [&](auto& queued) { return queued.cancellable(wait_kind::future, deadline); });
  throw_if_ended(end);
  return end == wait_end::woken ? std::future_status::ready : std::future_status::timeout;
}

// A hook that is never run would hold its owner for ever, so a deferred function is run for it.
void future_state_base::when_ready(ready_hook& hook) noexcept {
  future_core& of = core(state_);
  claim_deferred();
  {
    const spin_guard guard(queue_lock(&of));
    if (!(of.flags.load(std::memory_order_relaxed) & future_core::ready)) {
      hook.next = of.hooks;
      of.hooks = &hook;
      return;
    }
  }
  order_acquire(&of);  // pairs with end_set
  hook.run(&hook);
}

void future_state_base::retrieve() {
  // relaxed: nothing is found by it.
  const std::uint64_t before =
      core(state_).flags.fetch_or(future_core::retrieved, std::memory_order_relaxed);
  if (before & future_core::retrieved)
    throw_future_error(std::future_errc::future_already_retrieved);
}

bool future_state_base::begin_set() noexcept {
  // relaxed: who finds it set stores nothing.
  const std::uint64_t before =
      core(state_).flags.fetch_or(future_core::satisfied, std::memory_order_relaxed);
  return !(before & future_core::satisfied);
}

void future_state_base::abort_set() noexcept {
  core(state_).flags.fetch_and(~future_core::satisfied, std::memory_order_relaxed);
}

void future_state_base::end_set() noexcept {
  notify_point();
  future_core& of = core(state_);
  spin_lock& lock = queue_lock(&of);
  order_release(&of);  // pairs with is_ready
  lock.lock();
  ready_hook* hooks = std::exchange(of.hooks, nullptr);
  wait_list waiting;
  waiting.take(of.queue);
  // The last touch of the state: who finds it ready may destroy it, and the promise, at once.
  // release: pairs with the acquire in is_ready; the result is visible.
  of.flags.fetch_or(future_core::ready, std::memory_order_release);
  wake_taken(lock, waiting);
  while (hooks) {
    ready_hook* const next = hooks->next;
    hooks->run(hooks);
    hooks = next;
  }
}

void future_state_base::store_claimed(std::exception_ptr error) {
  if (!begin_set()) throw_future_error(std::future_errc::promise_already_satisfied);
  if (!error) fatal("weft::promise::set_exception: there is no exception in the pointer");
  store_exception(std::move(error));
}

void future_state_base::set_exception(std::exception_ptr error) {
  store_claimed(std::move(error));
  end_set();
}

void future_state_base::set_exception_at_exit(std::exception_ptr error) {
  set_at_exit later;
  store_claimed(std::move(error));
  later.commit(*this);
}

void future_state_base::break_promise() noexcept {
  if (!begin_set()) return;
  try {
    store_exception(std::make_exception_ptr(std::future_error(std::future_errc::broken_promise)));
  } catch (...) {  // no memory for its text
    store_exception(std::current_exception());
  }
  end_set();
}

bool future_state_base::join_maker(control_block* maker) noexcept {
  if (has_forked()) return false;  // it stayed in the parent
  future_core& of = core(state_);
  if (maker == current()->fiber) {
    if (!of.is_ready()) {
      fatal("weft::future: %s destroys the future of itself, and would wait for its own end",
            owner_name(self()).text);
    }
    // It has let go of the state, and runs the hooks, one of which had the last reference.
    detach_block(*maker);
    return true;
  }
  // A static's destructor: it runs no more.
  if (!has_ended(*maker) && is_frozen_by_me(*maker->rt.load(std::memory_order_relaxed))) {
    request_stop(*maker);
    detach_block(*maker);
    return false;
  }
  while (!of.is_ready() && cancellable_on(current())) {
    if (stop_requested(*current()->fiber)) {
      request_stop(*maker);
      break;
    }
    wait_in_queue(of, [](auto& queued) { return queued.until_stopped(wait_kind::future); });
  }
  join_quietly(*maker);
  return true;
}

bool countdown::arrive() noexcept {
  auto& left = core_of<atomic<std::uint64_t>>(state_);
  order_release(this);  // pairs with the same of the last one
  // acq_rel: what the others did before they arrived comes before what the last one does.
  const bool last = left.fetch_sub(1, std::memory_order_acq_rel) == 1;
  order_acquire_if(last, this);  // pairs with the release of the others
  return last;
}
}  // namespace weft::detail
