#include "sched/blocking.hpp"

#include "fiber/extras.hpp"
#include "sched/branches.hpp"
#include "sched/explorer.hpp"
#include "sched/internal.hpp"
#include "sched/observe.hpp"
#include "sched/spawn.hpp"

namespace weft::detail {
namespace {
void publish_gate(control_block* parked, void* arg) noexcept {
  auto& gate = *static_cast<blocking_gate*>(arg);  // locked by enter_gate
  gate.waiting.push_back(parked);
  gate.waiting_now.store(static_cast<std::uint32_t>(gate.waiting.count), std::memory_order_relaxed);
  gate.lock.unlock();
}

void enter_gate(runtime_core& core) noexcept {
  blocking_gate& gate = core.gate;
  gate.lock.lock();
  if (gate.inside < core.blocking_limit) {
    gate.inside_now.store(++gate.inside, std::memory_order_relaxed);
    gate.lock.unlock();
    // Callers one at a time are ordered, as by a mutex. Pairs with leave_gate.
    if (core.blocking_limit == 1) order_acquire(&gate);
    return;
  }
  if (core.exploring) {  // nobody else is inside: it keeps the only thread
    gate.inside_now.store(++gate.inside, std::memory_order_relaxed);
    gate.lock.unlock();
    return explore_point(point_kind::blocking);
  }
  // First come, first served. Not a cancellation point: whoever leaves hands its place over.
  park_fiber(wait_kind::blocking, &gate, false, publish_gate, &gate);
}

void leave_gate(runtime_core& core) noexcept {
  blocking_gate& gate = core.gate;
  control_block* heir = nullptr;
  if (core.blocking_limit == 1) order_release(&gate);  // pairs with enter_gate
  {
    const spin_guard guard(gate.lock);
    heir = gate.waiting.pop_front();
    if (!heir) gate.inside_now.store(--gate.inside, std::memory_order_relaxed);
    gate.waiting_now.store(static_cast<std::uint32_t>(gate.waiting.count),
                           std::memory_order_relaxed);
  }
  // Nobody else can end that wait, so the claim succeeds.
  if (heir && heir->word.claim(heir->word.epoch(), wake_reason::wake)) make_ready(heir);
}

void after_losing_processor(void*, context* from) noexcept {
  make_ready(reinterpret_cast<control_block*>(from));
}
}  // namespace

blocking_section::blocking_section() noexcept {
  thread_header* header = current();
  if (!header->fiber) return;
  me_ = header->fiber;
  enter_gate(*me_->rt.load(std::memory_order_relaxed));
  header = current();
  ++header->section;
  p_ = header->held;
  bump(p_->count.blocking_calls);
  if (p_->diverted) [[unlikely]]
    observe_blocking(header, *me_);
  if (me_->flags & fiber_flag::forked) [[unlikely]]
    spill_branches(header, *me_);
  me_->waits_for = wait_kind::blocking;
  // A number and no pointer: a dump may see the new kind beside what the last wait was on.
  me_->waits_on = reinterpret_cast<const void*>(
      std::intptr_t{header->self->tid.load(std::memory_order_relaxed)});
  me_->exceptions.since = p_->stamp.load(std::memory_order_relaxed);
  header->fiber = nullptr;
  header->lent = me_;
  header->held = nullptr;
  header->lane = nullptr;  // which implies a fiber
  --header->section;
  // release: pairs with the acquire of the monitor's or our own compare-exchange; the processor's
  // queues as we leave them belong to whoever moves this word on.
  state_ = processor_state::blocking_call(p_->count.blocking_calls.load(std::memory_order_relaxed));
  p_->state.store(state_, std::memory_order_release);
  if (chaos::strikes(chaos::point::take)) retake(*p_->core, *p_, state_, hand_to_spare);
}

blocking_section::~blocking_section() {
  if (!me_ || has_forked()) return;  // in a forked child the thread stays a plain one
  runtime_core& core = *me_->rt.load(std::memory_order_relaxed);
  thread_header* header = current();  // the thread has not changed since the constructor
  header->lent = nullptr;
  me_->waits_for = wait_kind::none;
  const bool observed = is_observed(core);
  if (observed) [[unlikely]]
    observe_unblocked(header);
  std::uint64_t expected = state_;
  if (p_->state.compare_exchange_strong(expected, processor_state::running,
                                        std::memory_order_acq_rel, std::memory_order_relaxed)) {
    header->held = p_;
    header->fiber = me_;
    if (observed) [[unlikely]]
      observe_run(header, *me_, false);
  } else {
    ++header->section;
    if (take_idle_processor(core, header)) {
      header->fiber = me_;
      if (observed) [[unlikely]]
        observe_run(header, *me_, false);
      --header->section;
    } else {
      header = resume_elsewhere(header, *me_, after_losing_processor);
      --header->section;
    }
  }
  leave_gate(core);
}
}  // namespace weft::detail
