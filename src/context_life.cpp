// How a context is made, ends and is destroyed.
#include <cxxabi.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>
#include <typeinfo>
#include <weft/context.hpp>

#include "base/errno.hpp"
#include "base/fatal.hpp"
#include "context_life.hpp"
#include "fiber/extras.hpp"
#include "runtime_life.hpp"
#include "sched/observe.hpp"
#include "sched/permits.hpp"
#include "sched/schedule.hpp"
#include "sched/signal_stack.hpp"
#include "sched/spawn.hpp"
#include "sched/stackless.hpp"
#include "stack/scrub.hpp"

namespace weft::detail {
namespace {
// A context has a permit, as a fiber has: fibers that hold one are promised a stack.
stack take_stack(stack_class c) {
  thread_header* const header = current();
  if (has_forked()) {
    throw_system(
        ENOTRECOVERABLE,
        "weft: no context can be made in a child of fork whose parent had a runtime: "
        "another thread may have been at work on the stacks (make it before fork, or exec)");
  }
  const int before = errno;  // the first call probes how stacks can be guarded, by calls that fail
  stack taken;
  if (header->held) {
    const section inside(header);
    processor& p = *header->held;
    if (take_permit(p)) {
      taken = p.stacks.take(c);
      if (!taken) put_permit(p);
    }
  } else {
    stack_arena& arena = stack_arena::instance();
    if (arena.acquire_permits(1) && arena.take(c, &taken, 1) == 0) arena.release_permits(1);
  }
  errno = before;
  if (!taken) stack_arena::instance().throw_exhausted();
  forget_accesses(taken.lo, taken.hi);
  return taken;
}

void give_stack(stack_class c, stack given) noexcept {
  thread_header* const header = current();
  if (has_forked()) return;
  const int before = errno;
  if (header->fiber && scrubs(*header->fiber->rt.load(std::memory_order_relaxed))) {
    scrub_all(given);
  }
  if (header->held) {
    const section inside(header);
    header->held->stacks.give(c, given);
    put_permit(*header->held);
  } else {
    stack_arena::instance().give(c, &given, 1);
    stack_arena::instance().release_permits(1);
    if (any_stackless()) feed_stackless();
  }
  errno = before;
}

void drop_alternate(thread_header* header) noexcept {
  delete header->alternate;
  header->alternate = nullptr;
}

void release(computation& c) noexcept {
  const stack_class size_class = c.size_class;
  const stack its = c.stk;
  c.mark = nullptr;
  c.~computation();
  give_stack(size_class, its);
}

// "std::runtime_error: text", cut off.
struct described {
  char text[160];
  explicit described(const std::exception_ptr& error) noexcept {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& known) {
      std::snprintf(text, sizeof text, "%s", known.what());
    } catch (...) {
      const std::type_info* const type = abi::__cxa_current_exception_type();
      std::snprintf(text, sizeof text, "%s", type ? type->name() : "of no type");
    }
  }
};

// Throws context_destroyed where it has given way, and sees to it that it ends by that.
void unwind(computation& c) noexcept {
  c.destroying = true;
  if (resume_computation(c, nullptr)) {
    fatal(
        "weft::context %p is destroyed, and yields again: it has swallowed context_destroyed. "
        "What catches (...) must throw it on",
        as_object(c));
  }
  if (c.unwound) return;
  if (c.thrown) {
    const described what(c.thrown);
    fatal("weft::context %p is destroyed, and another exception leaves it: %s", as_object(c),
          what.text);
  }
  fatal(
      "weft::context %p is destroyed, and returns as if nothing had happened: it has swallowed "
      "context_destroyed. What catches (...) must throw it on",
      as_object(c));
}
}  // namespace

doer::doer() noexcept {
  const control_block* const fiber = current()->fiber;
  if (!fiber) {
    std::snprintf(text, sizeof text, "a kernel thread");
    return;
  }
  const char* const name = name_of(*fiber);
  std::snprintf(text, sizeof text, "fiber %llu%s%s%s",
                static_cast<unsigned long long>(fiber->serial.load(std::memory_order_relaxed)),
                *name ? " \"" : "", name, *name ? "\"" : "");
}

// A carrier has all of it.
void prepare_thread(thread_header* header) noexcept {
  if (!header->self) {
    adopt_thread(header);
    if (at_thread_end(header, thread_end::alternate, drop_alternate) == 0) {
      header->alternate = new (std::nothrow) signal_stack;
    }
  }
  header->resumes_contexts = true;
}

computation_place make_computation(std::size_t stack_size, std::size_t closure_size,
                                   std::size_t closure_alignment) {
  report_overflows();
  const stack_class size_class = stack_class_for(stack_size ? stack_size : default_stack);
  const stack taken = take_stack(size_class);
  constexpr std::size_t padding = 256;  // the closure's alignment, and the first frame's
  const std::size_t used = sizeof(computation) + closure_size + closure_alignment + padding;
  forget_frames(taken.hi - used, used);
  auto* const c = ::new (reinterpret_cast<computation*>(taken.hi) - 1) computation;
  c->stk = taken;
  c->size_class = size_class;
  c->mark = &computation_mark;
  const auto top = reinterpret_cast<std::uintptr_t>(c) - closure_size;
  c->closure = reinterpret_cast<void*>(top & ~(closure_alignment - 1));
  return {c, c->closure};
}

void abandon_computation(computation& c) noexcept {
  release(c);
}

void begin_computation(computation& c, void (*run)(computation&, void*, void*),
                       void (*drop)(void*) noexcept) noexcept {
  c.run = run;
  c.drop = drop;
  c.visits.begin();
  c.self = fresh_context(c);
  c.position.leaf = &c;
}

void run_computation(computation& me, void* in) noexcept {
  me.begun = true;
  try {
    me.run(me, me.closure, in);
  } catch (const context_destroyed&) {
    me.unwound = me.destroying;
    if (!me.unwound) me.thrown = std::current_exception();
  } catch (...) {
    // As in a fiber: sched/entry.cpp.
    if (!abi::__cxa_current_exception_type()) {
      const doer by;
      fatal("pthread_exit or pthread_cancel inside a weft::context, on %s: return from it instead",
            by.text);
    }
    me.thrown = std::current_exception();
  }
}

void* resume_throwing(computation& c, std::exception_ptr error) noexcept {
  c.thrown = std::move(error);
  return resume_computation(c, nullptr);
}

void throw_pending(computation& c) {
  if (c.destroying) throw context_destroyed();
  std::rethrow_exception(std::exchange(c.thrown, nullptr));
}

void finish_computation(computation* c) {
  if (!c || !c->ended) {
    const doer by;
    fatal("a weft::context was moved from or replaced while it ran, by %s", by.text);
  }
  std::exception_ptr thrown = std::move(c->thrown);
  destroy_computation(*c);
  if (thrown) std::rethrow_exception(std::move(thrown));
}

void destroy_computation(computation& c) noexcept {
  if (!c.ended) {
    if (!c.self.sp) {
      const doer by;
      fatal("weft::context %p is running, and %s destroys it", as_object(c), by.text);
    }
    if (c.begun) {
      unwind(c);
    } else {
      c.drop(c.closure);
    }
  }
  c.visits.end();
  release(c);
}

void resumed_nothing(const char* what) noexcept {
  const doer by;
  fatal(
      "%s resumes a %s that holds no computation: it has ended, was moved from or never given one",
      by.text, what);
}
}  // namespace weft::detail
