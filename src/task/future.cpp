#include <weft/future.hpp>
#include <weft/when.hpp>

#include "base/fatal.hpp"
#include "sched/spawn.hpp"
#include "sync/core_of.hpp"
#include "sync/points.hpp"
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
}  // namespace

void throw_future_error(std::future_errc error) {
  throw std::future_error(error);
}

future_state_base::future_state_base(bool deferred) noexcept
    : state_(future_core::first_word(deferred)) {}

future_state_base::~future_state_base() {
  core(state_).end();
}

void future_state_base::retain() noexcept {
  core(state_).retain();
}

void future_state_base::release() noexcept {
  if (core(state_).release()) destroy();
}

bool future_state_base::is_ready() const noexcept {
  return core(state_).is_ready();
}

void future_state_base::claim_deferred() noexcept {
  if (core(state_).claim_deferred()) run_deferred();
}

void future_state_base::wait() {
  throw_if_ended(entry_check());
  claim_deferred();
  future_core& of = core(state_);
  if (!of.is_ready()) throw_if_ended(of.wait_slow(never));
}

std::future_status future_state_base::wait_until(std::int64_t deadline) {
  throw_if_ended(entry_check());
  future_core& of = core(state_);
  if (of.is_deferred()) return std::future_status::deferred;
  if (of.is_ready()) return std::future_status::ready;
  if (deadline <= 0) return std::future_status::timeout;
  const wait_end end = of.wait_slow(deadline);
  throw_if_ended(end);
  return end == wait_end::woken ? std::future_status::ready : std::future_status::timeout;
}

// A hook that is never run would hold its owner for ever, so a deferred function is run for it.
void future_state_base::when_ready(ready_hook& hook) noexcept {
  claim_deferred();
  if (!core(state_).add_hook(hook)) hook.run(&hook);
}

void future_state_base::retrieve() {
  if (!core(state_).retrieve()) throw_future_error(std::future_errc::future_already_retrieved);
}

bool future_state_base::begin_set() noexcept {
  return core(state_).begin_set();
}

void future_state_base::abort_set() noexcept {
  core(state_).abort_set();
}

void future_state_base::end_set() noexcept {
  notify_point();
  core(state_).end_set();
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
    of.wait_until_stopped();
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
