// The first function on every fiber's stack, and the end of a fiber.
#include <cxxabi.h>

#include <exception>
#include <typeinfo>
#include <weft/operation_canceled.hpp>

#include "base/fatal.hpp"
#include "base/futex.hpp"
#include "fiber/extras.hpp"
#include "fiber/locals.hpp"
#include "sched/drain.hpp"
#include "sched/explorer.hpp"
#include "sched/internal.hpp"
#include "sched/observe.hpp"
#include "sched/permits.hpp"
#include "sched/switching.hpp"
#include "stack/scrub.hpp"

namespace weft::detail {
namespace {
// Claims a joiner. A fiber is the caller's then, to be made ready. Of a thread nothing may be
// touched but its futex: it sees the claimed word by itself, and may have ended by now.
[[gnu::always_inline]] inline bool claim_joiner(control_block*& joiner,
                                                wait_word::epoch_type epoch) noexcept {
  const bool thread = joiner->flags & fiber_flag::kernel_thread;  // stable while the epoch is open
  if (!joiner->word.claim(epoch, wake_reason::wake)) [[unlikely]]
    return false;
  if (thread) [[unlikely]] {
    futex_wake(joiner->word.futex_address(), 1);
    joiner = nullptr;
  }
  return true;
}

// The end of the process, or of an explored run: the fiber ends then.
void die_of_exception(control_block& me, const char* what) noexcept {
  if (explorer* const exploring = current()->exploring) return exploring->unhandled(me, what);
  const char* name = name_of(me);
  report("an exception left fiber %llu%s%s%s: %s",
         static_cast<unsigned long long>(me.serial.load(std::memory_order_relaxed)),
         *name ? " \"" : "", name, *name ? "\"" : "", what);
  std::terminate();
}

[[gnu::always_inline]] inline void invoke_closure(control_block& me) noexcept {
  struct closure {
    std::byte* in_block;
    ~closure() { drop_closure(in_block); }
  } const closure{me.closure};
  try {
    me.invoke(closure_of(me.closure));
  } catch (const operation_canceled&) {
    if (!asked_to_stop(me)) {
      die_of_exception(me, "weft::operation_canceled, and nobody asked the fiber to stop");
    }
  } catch (const std::exception& error) {
    die_of_exception(me, error.what());
  } catch (...) {
    // No type: no C++ exception, but a forced unwind. abi::__forced_unwind would catch it by name,
    // by a reference to an object that does not exist.
    const std::type_info* type = abi::__cxa_current_exception_type();
    if (type) return die_of_exception(me, type->name());
    fatal("pthread_exit or pthread_cancel inside fiber %llu: return from the fiber instead",
          static_cast<unsigned long long>(me.serial.load(std::memory_order_relaxed)));
  }
}

// What few fibers have: locals, whose destructors may park, and control words of their own, which
// nobody asks for from here on. It is like any other afterwards.
[[gnu::noinline]] void end_closure_slow(control_block& me) noexcept {
  if (me.flags & fiber_flag::has_locals) end_locals(me);
  if (me.flags & fiber_flag::fp_env) {
    const fp_env defaults;
    fp_env_load(&defaults);
    me.flags &= static_cast<std::uint8_t>(~fiber_flag::fp_env);
  }
}

[[gnu::always_inline]] inline void end_closure(control_block& me) noexcept {
  if (me.flags & (fiber_flag::has_locals | fiber_flag::fp_env)) [[unlikely]]
    end_closure_slow(me);
}

[[gnu::noinline]] void run_closure_slow(control_block& me) noexcept {
  if (me.flags & fiber_flag::pin_at_start) {
    me.flags &= static_cast<std::uint8_t>(~fiber_flag::pin_at_start);  // `forked` from now on
    pin_running_fiber();
  }
  const bool observed = me.flags & fiber_flag::observed;
  invoke_closure(me);
  end_closure(me);
  if (!observed) return;
  observe_end(me);
  if (scrubs(*me.rt.load(std::memory_order_relaxed))) scrub_below(me.stk);
}

void run_closure(control_block& me) noexcept {
  if (me.flags & (fiber_flag::pin_at_start | fiber_flag::observed)) [[unlikely]]
    return run_closure_slow(me);
  invoke_closure(me);
  end_closure(me);
}

// The joiner's wait has ended another way, and it withdraws; perhaps it has already, and joined
// again. A registration read before cannot be told from that second one, so the word is closed
// first: while it says `ending` nobody registers, and the owner does not recycle the block.
[[gnu::noinline]] control_block* publish_end_slow(processor& p, control_block& me) noexcept {
  // acq_rel: as in publish_end, both ways.
  control_block* joiner = me.joiner.exchange(joiner_ending, std::memory_order_acq_rel);
  if (joiner == joiner_detached) {
    order_acquire(&me.joiner);  // pairs with detach_block
    renew_block(me);
    p.blocks.give(&me);
    return nullptr;
  }
  const bool woken =
      joiner && claim_joiner(joiner, me.joiner_epoch.load(std::memory_order_relaxed));
  me.joiner.store(joiner_finished, std::memory_order_release);
  return woken ? joiner : nullptr;
}

// The fiber's last act. Afterwards its block may be reused at once: nothing of it is touched.
// Returns a fiber to be made ready or run next, claimed by us, if one waited for the end.
[[gnu::always_inline]] inline control_block* publish_end(processor& p, control_block& me) noexcept {
  order_release(&me.joiner);  // pairs with has_ended
  // acquire: pairs with the release of the joiner's registration; joiner_epoch is visible then.
  control_block* joiner = me.joiner.load(std::memory_order_acquire);
  if (joiner == nullptr) {
    // release: pairs with the acquire in has_ended; all that the fiber did is visible.
    if (me.joiner.compare_exchange_strong(joiner, joiner_finished, std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      return nullptr;
    }
  }
  if (joiner == joiner_detached) {
    order_acquire(&me.joiner);  // pairs with detach_block
    const std::uint64_t scope = me.joiner_epoch.load(std::memory_order_relaxed);
    if (scope & siblings_are_awaited) p.siblings_of = scope - siblings_are_awaited;
    // The block's next fiber is no child of the scope, nor of another one that lies there by then.
    me.joiner_epoch.store(0, std::memory_order_relaxed);
    renew_block(me);
    p.blocks.give(&me);
    return nullptr;
  }
  // acquire: pairs with the release of the same in publish_join. Should the epoch be that of
  // another joiner that registered meanwhile, the first one's withdrawal is visible in the second
  // look.
  const wait_word::epoch_type epoch = me.joiner_epoch.load(std::memory_order_acquire);
  if (me.joiner.load(std::memory_order_relaxed) == joiner && claim_joiner(joiner, epoch)) {
    // Ours now: the joiner cannot withdraw, it runs only when we make it ready. So a plain store.
    // release: as above.
    me.joiner.store(joiner_finished, std::memory_order_release);
    return joiner;
  }
  return publish_end_slow(p, me);
}

// The cache was full when the fiber ended: others may take what it gives to the arena, so it waits
// until nobody is on that stack.
void after_exit(void* arg, context*) noexcept {
  processor& p = *static_cast<thread_header*>(arg)->held;
  p.stacks.give(p.dying_class, p.dying);
}

// Whether the fiber whose wait our end has ended may run next, before what is queued. A direct
// hand-over counts like a run from the slot (D6), and like any other switch.
bool may_run_next(processor& p, const control_block& woken) noexcept {
  if (woken.flags & (fiber_flag::pinned | fiber_flag::fp_env)) return false;
  if (chaos::strikes(chaos::point::direct) || must_move(p, woken)) return false;
  if (woken.rt.load(std::memory_order_relaxed) != p.core || ++p.tick >= look_every) return false;
  if (++p.slot_streak <= slot_limit) return true;
  // Not reset while others wait: pick_next must see that the cap is reached, or it takes `woken`
  // from the slot again, and the ring never has its turn.
  if (p.slot.load(std::memory_order_relaxed) || p.ring.size() > 0 || has_children(p)) return false;
  p.slot_streak = 0;
  return true;
}

// Leaves the stack of a fiber that has ended, for good.
[[noreturn, gnu::always_inline]] inline void leave(thread_header* header, processor& p,
                                                   stack_class mine_class, stack mine,
                                                   context to) noexcept {
  announce_last_switch(bounds_of_chosen(header), mine.hi);
  // Nobody but this processor takes from its cache, so the stack may go there while we are still
  // on it; what is to run next has its own by now.
  if (p.stacks.try_give(mine_class, mine)) [[likely]]
    switch_away(nullptr, to, nullptr, header);
  p.dying = mine;
  p.dying_class = mine_class;
  switch_away(nullptr, to, after_exit, header);
}
}  // namespace

bool asked_to_stop(control_block& me) noexcept {
  return stop_requested(me) || existing_stop_source(me).stop_requested();
}

// Not instrumented, because it never returns: no frame of it stays poisoned.
[[gnu::no_sanitize_address]] void fiber_main(void* arg) noexcept {
  announce_fresh_stack();
  auto* header = static_cast<thread_header*>(arg);
  for (;;) {
    control_block& me = *header->fiber;
    --header->section;
    run_closure(me);
    header = current();
    ++header->section;
    processor& p = *header->held;
    runtime_core& core = *p.core;
    const stack mine = me.stk;
    const stack_class mine_class = me.size_class;

    put_permit(p);
    // Counted before the end is published, read after `draining` is set: see runtime end.
    bump_release(p.count.finished);
    control_block* const woken = publish_end(p, me);
    tell_if_draining(core);
    if (woken) {
      if (may_run_next(p, *woken)) [[likely]]
        leave(header, p, mine_class, mine, enter(header, *woken));
      make_ready(woken);
    }
    control_block* const next = p.siblings_of ? pick_sibling(p) : pick_next(p);
    if (!thread_sanitizer && next && !(next->flags & fiber_flag::started) &&
        next->size_class == mine_class && !(next->flags & fiber_flag::fp_env)) {
      // The hot hand-over (D4): the next fiber begins in this very frame, on a stack that is warm.
      next->stk = mine;
      next->flags |= fiber_flag::started;
      header->fiber = next;
      bump(p.count.switches);
      *header->errno_address = 0;
      continue;
    }
    leave(header, p, mine_class, mine, prepare_switch(header, next, false, nullptr));
  }
}
}  // namespace weft::detail
