#include <weft/scope.hpp>

#include <time.h>

#include <cerrno>
#include <exception>
#include <weft/operation_canceled.hpp>

#include "base/fatal.hpp"
#include "fiber/locals.hpp"
#include "sched/children.hpp"
#include "sched/explorer.hpp"
#include "sched/spawn.hpp"
#include "sync/core_of.hpp"
#include "sync/points.hpp"
#include "sync/self.hpp"
#include "task/scope_core.hpp"
#include "task/unreceived.hpp"
#include "time/timed_park.hpp"

namespace weft::detail {
struct scope_access {
  static scope_core& core(scope_base& of) noexcept { return core_of<scope_core>(of.state_); }

  // The first failure is kept, and stops the others.
  static void fail(scope_base& of, std::exception_ptr error) noexcept {
    {
      const spin_guard guard(core(of).lock);
      if (of.error_ || core(of).received) return;
      of.error_ = std::move(error);
    }
    of.request_stop();
  }

  // The scope may be gone when this returns. Whether somebody waits for others of it.
  static bool leave(scope_base& of, scope_link& child) noexcept {
    claimed_wait woken;
    bool awaited = false;
    order_release(&of);  // pairs with wait
    {
      const spin_guard guard(core(of).lock);
      core(of).erase_locked(child);
      awaited = core(of).joiner.block;
      if (awaited && core(of).empty_locked()) {
        awaited = false;
        woken = claim(core(of).joiner);
        core(of).joiner = {};
      }
    }
    resume(woken);
    return awaited;
  }

  struct joining {
    scope_core& scope;
    bool second = false;  // another one waits already
    wait_token token{};   // ours, in scope.joiner
  };

  // Until the token is out, or claimed, the wait is open and the frame there.
  static void publish(control_block* parked, void* arg) noexcept {
    auto& me = *static_cast<joining*>(arg);
    const wait_token token{parked, parked->word.epoch()};
    {
      const spin_guard guard(me.scope.lock);
      me.second = me.scope.joiner.block != nullptr;
      if (!me.second && !me.scope.empty_locked()) {
        me.scope.joiner = me.token = token;
        return;
      }
    }
    end_unneeded(token);
  }

  static bool is_empty(scope_base& of) noexcept {
    const spin_guard guard(core(of).lock);
    return core(of).empty_locked();
  }

  // `start` marks those so. Of another fiber that was detached `joiner_epoch` is a small number:
  // that of a scope ends with its fiber.
  static bool is_own_child(const scope_base& of) noexcept {
    const control_block* const me = current()->fiber;
    return me && me->joiner.load(std::memory_order_relaxed) == joiner_detached &&
           me->joiner_epoch.load(std::memory_order_relaxed) ==
               reinterpret_cast<std::uintptr_t>(&of);
  }

  // A static's destructor after the default runtime was frozen: they run no more.
  static bool will_never_end(scope_base& of) noexcept {
    const spin_guard guard(core(of).lock);
    const scope_link* const child = core(of).first;
    if (!child) return false;
    return is_frozen_by_me(*child->block->rt.load(std::memory_order_relaxed));
  }

  // Until no child is left. A stop requested of the caller meanwhile, or before, goes to them.
  static void wait(scope_base& of) {
    scope_core& scope = core(of);
    bool passed_on = false;
    while (!is_empty(of)) {
      if (is_own_child(of)) {
        fatal("weft::scope at %p: %s of it joins or destroys it, and would wait for its own end",
              static_cast<void*>(&of), owner_name(self()).text);
      }
      const thread_header* const header = current();
      const bool cancellable = !passed_on && cancellable_on(header);
      if (cancellable && stop_requested(*header->fiber)) {
        passed_on = true;
        of.request_stop();
        continue;
      }
      joining mine{scope};
      const wake_reason end = header->fiber
                                  ? park_for_children(&of, cancellable, publish, &mine)
                                  : park(wait_kind::scope, &of, cancellable, publish, &mine);
      if (mine.second) {
        fatal("weft::scope at %p: joined by two at a time", static_cast<void*>(&of));
      }
      const spin_guard guard(scope.lock);
      if (end == wake_reason::wake) break;  // `leave` has taken ours away
      // It may have tried to even so, and another one have come since.
      if (scope.joiner.block == mine.token.block && scope.joiner.epoch == mine.token.epoch)
        scope.joiner = {};
    }
    order_acquire(&of);  // pairs with leave
  }

  // For the destructor, which cannot tell that there is no memory to wait with: then it looks now
  // and then.
  static void wait_quietly(scope_base& of) noexcept {
    try {
      wait(of);
    } catch (const std::exception&) {
      constexpr timespec nap{.tv_sec = 0, .tv_nsec = 1'000'000};
      while (!is_empty(of)) ::nanosleep(&nap, nullptr);
      order_acquire(&of);  // pairs with leave
    }
  }
};

scope_base::scope_base() noexcept : unwinding_(std::uncaught_exceptions()) {}

scope_base::~scope_base() {
  if (has_forked()) return;  // its fibers stayed in the parent
  if (!scope_access::is_empty(*this)) {
    request_stop();
    if (scope_access::will_never_end(*this)) return;
    scope_access::wait_quietly(*this);
  }
  order_forget(this);
  if (error_ && std::uncaught_exceptions() <= unwinding_) {
    end_with_unreceived("weft::scope", this, error_);
  }
}

void scope_base::start(control_block* block, scope_link& link, void (*invoke)(void*)) noexcept {
  const thread_header* header = current();
  const control_block* me = header->fiber ? header->fiber : header->stand_in;
  if (me && me->deadline != never) block->deadline = scope_deadline_on(header, *me);
  link.block = block;
  // relaxed: the start of the fiber publishes both. `joiner_epoch`: nobody registers.
  block->joiner.store(joiner_detached, std::memory_order_relaxed);
  block->joiner_epoch.store(reinterpret_cast<std::uintptr_t>(this), std::memory_order_relaxed);
  scope_core& core = scope_access::core(*this);
  {
    const spin_guard guard(core.lock);
    core.push_back_locked(link);
    if (core.stopping) [[unlikely]]
      mark_stop(*block);  // it waits nowhere yet
  }
  block->invoke = invoke;
  start_child(*block);
}

void run_scoped(scope_link& link, void (*call)(void*), void* callable) noexcept {
  control_block& me = *link.block;
  auto& of = *reinterpret_cast<scope_base*>(me.joiner_epoch.load(std::memory_order_relaxed));
  try {
    call(callable);
  } catch (const operation_canceled&) {
    if (!asked_to_stop(me)) scope_access::fail(of, std::current_exception());
  } catch (...) {
    scope_access::fail(of, std::current_exception());
  }
  // Before it leaves, not as it ends: who joins the scope finds that done, too, and may destroy
  // what it used.
  if (me.flags & fiber_flag::has_locals) [[unlikely]]
    end_locals(me);
  notify_point();
  const auto address = reinterpret_cast<std::uintptr_t>(&of);
  const bool awaited = scope_access::leave(of, link);
  // relaxed: read by this fiber only, at its end.
  me.joiner_epoch.store(awaited ? address | siblings_are_awaited : 0, std::memory_order_relaxed);
}

void scope_base::join() {
  if (has_forked()) {
    throw_system(ESRCH, "weft::scope::join: its fibers stayed in the parent of this forked child");
  }
  lock_point();
  scope_access::wait(*this);
  scope_core& core = scope_access::core(*this);
  std::exception_ptr error;
  {
    const spin_guard guard(core.lock);
    if (!error_) return;
    core.received = true;
    error = std::move(error_);
  }
  std::rethrow_exception(std::move(error));
}

bool scope_base::request_stop() noexcept {
  if (has_forked()) return false;
  lock_point();
  scope_core& core = scope_access::core(*this);
  {
    const spin_guard guard(core.lock);
    if (core.stopping) return false;
    core.stopping = true;
  }
  core.stop_children();
  return true;
}

bool scope_base::stop_requested() const noexcept {
  scope_core& core = scope_access::core(const_cast<scope_base&>(*this));
  const spin_guard guard(core.lock);
  return core.stopping;
}
}  // namespace weft::detail
