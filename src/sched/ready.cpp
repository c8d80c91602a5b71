// A fiber becomes ready: where it is queued, and who is woken for it.
#include <sched.h>

#include "base/futex.hpp"
#include "fiber/extras.hpp"
#include "sched/internal.hpp"
#include "sched/observe.hpp"

namespace weft::detail {
namespace {
// A thread that is not one of the runtime's carriers touches the core only while it counts here:
// the end of a runtime waits for these before it closes what a wake may write to. The count rises
// before the fiber is queued, hence before the fiber can end, hence before the runtime can.
class foreign_visit {
 public:
  explicit foreign_visit(runtime_core& core) noexcept : core_(core) {
    core_.foreign_visits.fetch_add(1, std::memory_order_relaxed);
  }
  // release: pairs with the acquire of the end of the runtime.
  ~foreign_visit() { core_.foreign_visits.fetch_sub(1, std::memory_order_release); }
  foreign_visit(const foreign_visit&) = delete;
  foreign_visit& operator=(const foreign_visit&) = delete;

 private:
  runtime_core& core_;
};

void make_pinned_ready(runtime_core& core, control_block* block, processor* by) noexcept {
  carrier& home = *extras_of(*block).pinned_to;
  {
    const spin_guard guard(home.pinned_lock);
    home.pinned.push_back(block);
  }
  // seq_cst: P1 of the idle protocol for this queue; pairs with Q1.
  home.pinned_count.fetch_add(1, std::memory_order_seq_cst);
  wake_call wake;
  {
    const spin_guard guard(core.idle_lock);
    processor* with = core.idle_list;
    while (with && with->sleeper != &home) with = with->next_idle;
    // Asleep with a processor: woken with it. A spare: takes any idle one's place, or starves until
    // a running carrier gives its own up. Else it is awake and looks at this queue by itself.
    if (!with && home.spare) with = core.idle_list;
    if (with) {
      wake = give_idle_locked(core, with, home);
    } else if (home.spare && !home.starving) {
      home.starving = true;
      core.starving.fetch_add(1, std::memory_order_relaxed);
    }
  }
  carry_out(core, wake, by);
}
}  // namespace

void wake_for_local(processor& p) noexcept {
  if (p.solo) return;  // the only processor, and it is running
  if (p.core->idle.should_wake()) [[unlikely]]
    wake_one(*p.core, &p);
}

void wake_for_slot(processor& p) noexcept {
  if (p.solo) return;
  const std::uint32_t pushes = p.slot_pushes.load(std::memory_order_relaxed);
  const std::uint32_t hold = p.core->slot_wake_hold.load(std::memory_order_relaxed);
  if (pushes - p.last_slot_wake < hold) [[likely]]
    return;
  if (!p.core->idle.should_wake()) return;
  p.last_slot_wake = pushes;
  wake_one(*p.core, &p);
}

void make_ready(control_block* block) noexcept {
  if (block->flags & fiber_flag::kernel_thread) {
    futex_wake(block->word.futex_address(), 1);
    return;
  }
  runtime_core& core = *block->rt.load(std::memory_order_relaxed);
  thread_header* header = current();
  const bool local =
      header->held && header->held->core == &core && !chaos::strikes(chaos::point::inject);
  if (block->flags & (fiber_flag::pinned | fiber_flag::observed)) [[unlikely]] {
    if (block->flags & fiber_flag::observed) observe_wake(*block);
    if (block->flags & fiber_flag::pinned) {
      const foreign_visit visit(core);
      const section inside(header);
      make_pinned_ready(core, block, local ? header->held : nullptr);
      return;
    }
  }
  if (local) {
    const section inside(header);
    processor& p = *header->held;
    push_slot(p, block);
    wake_for_slot(p);
    return;
  }
  const foreign_visit visit(core);
  core.inject.push(block);
  if (core.idle.should_wake()) wake_one(core, nullptr);
}

bool cancel_wait(runtime_core& core, control_block& block, wait_word::epoch_type epoch) noexcept {
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    while (core.processors[i]->publishing.covers(&block)) ::sched_yield();
  }
  if (!block.word.claim(epoch, wake_reason::cancel)) return false;
  make_ready(&block);
  return true;
}

void make_ready(runtime_core& core, task_list<control_block> batch) noexcept {
  if (batch.empty()) return;
  if (is_observed(core)) [[unlikely]]
    observe_wakes(core, batch);
  thread_header* header = current();
  if (header->held && header->held->core == &core) {
    const section inside(header);
    processor& p = *header->held;
    while (control_block* block = batch.pop_front()) push_ring(p, block);
    // This processor runs one of them itself, at once.
    if (p.ring.size() > 1) wake_for_local(p);
    return;
  }
  const foreign_visit visit(core);
  core.inject.push(batch);
  if (core.idle.should_wake()) wake_one(core, nullptr);
}
}  // namespace weft::detail
