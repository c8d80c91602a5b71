// The scheduler's part of an exploration: see explorer.hpp.
#include <sched.h>
#include <unistd.h>

#include <cerrno>

#include "base/fatal.hpp"
#include "sched/core_visit.hpp"
#include "sched/explorer.hpp"
#include "sched/internal.hpp"
#include "sched/stackless.hpp"
#include "sched/switching.hpp"
#include "sched/threads.hpp"

namespace weft::detail {
namespace {
void after_giving_way(void*, context* from) noexcept {
  make_ready(block_of(from));
}

// The running fiber, in its first section.
void give_way(thread_header* header) noexcept {
  switch_from(header, *header->fiber, nullptr, after_giving_way);
}
}  // namespace

void explore_point(point_kind kind, const char* label) noexcept {
  thread_header* const header = current();
  if (!header->exploring || !header->fiber) return;
  header->exploring->at_point(kind, label);
  ++header->section;
  give_way(header);
  --header->section;  // the same thread: a run has but one
}

// A spawn ends here on the spawner's stack, in its only section and with no lock held: the new
// fiber lies in the slot and has not begun. Any other wake may come from an after function, the
// loop or under a lock, and must not switch.
void wake_explored(runtime_core& core, processor* by) noexcept {
  thread_header* const header = current();
  if (!by) {
    // The run's own thread inside blocking() counts as another, but it comes when its fiber does.
    if (header->exploring != core.exploring) core.exploring->foreign_wake();
    return;
  }
  const control_block* const newest = by->slot.load(std::memory_order_relaxed);
  if (!header->fiber || header->section != 1 || !newest || newest->flags & fiber_flag::started)
    return;
  core.exploring->at_point(point_kind::spawn, nullptr);
  give_way(header);
}

explored_carrier::explored_carrier(runtime_core& core, explorer& by) : core_(core), explorer_(by) {
  thread_header* const header = current();
  adopt_thread(header);
  processor* const p = core.processors[0];
  carrier* me = nullptr;
  if (const int error = add_carrier(core, p, false, me)) {
    throw_system(error, "weft::testing::explore: no memory to make this thread a carrier");
  }
  p->solo = false;
  p->serial = p->serial_end = 0;
  core.slot_wake_hold.store(0, std::memory_order_relaxed);
  core.idle.went_idle(false);
  core.blocking_limit = 0;
  core.cancelling.store(cancelling_bit::explored, std::memory_order_relaxed);
  core.exploring = &by;
  me->own_stack = thread_stack::here();
  me->tid.store(::gettid(), std::memory_order_relaxed);
  // release: pairs with the acquire of whoever looks for running fibers.
  me->header.store(header, std::memory_order_release);
  syscalls_before_ = header->syscalls;
  header->self = me;
  header->syscalls = &me->syscalls;
  header->exploring = &by;
  header->section = 1;
  attach(header, *me, p);
}

explored_carrier::~explored_carrier() {
  end_visits(core_);  // the thread goes on without us, and may end
  thread_header* const header = current();
  header->self->header.store(nullptr, std::memory_order_relaxed);
  header->self = nullptr;
  header->held = nullptr;
  header->exploring = nullptr;
  header->syscalls = syscalls_before_;
  header->section = 0;
  // acquire: pairs with the release of foreign_visit: no foreign thread is inside a wake any more.
  while (core_.foreign_visits.load(std::memory_order_acquire) != 0) ::sched_yield();
  core_.exploring = nullptr;
}

void explored_carrier::run() noexcept {
  thread_header* const header = current();
  processor& p = *header->held;
  while (control_block* next = explorer_.next()) {
    p.tick = look_every;
    if (any_stackless()) [[unlikely]] {  // F2 in stackless.hpp
      p.stacks.flush();
      feed_stackless();
    }
    if (!(next->flags & fiber_flag::started) && !bind_stack(p, *next)) {
      wait_for_stack(*next);
      continue;
    }
    enter_from_loop(header, next);
  }
}

task_list<control_block> explored_carrier::take_ready() noexcept {
  thread_header* const header = current();
  processor& p = *header->held;
  carrier& me = *header->self;
  task_list<control_block> ready = core_.inject.pop(core_.inject.size());
  while (control_block* block = p.ring.pop()) ready.push_back(block);
  // The newest is in the slot. acquire: pairs with the release of push_slot_shared.
  if (control_block* block = p.slot.exchange(nullptr, std::memory_order_acquire))
    ready.push_back(block);
  const spin_guard guard(me.pinned_lock);
  while (control_block* block = me.pinned.pop_front()) {
    me.pinned_count.fetch_sub(1, std::memory_order_relaxed);
    ready.push_back(block);
  }
  return ready;
}
}  // namespace weft::detail
