#include "sched/stackless.hpp"

#include "base/clock.hpp"
#include "base/fatal.hpp"
#include "sched/internal.hpp"
#include "sched/standstill.hpp"
#include "sched/threads.hpp"
#include "stack/arena.hpp"

namespace weft::detail {
namespace {
constexpr nanos retry_gap = 1'000'000'000;
// When nobody else can free a stack, only the kernel can help: asked this often, for this long.
constexpr nanos hopeless_gap = 50'000'000;
constexpr nanos patience = 3'000'000'000;

struct waiting_room {
  spin_lock lock;                              // before the lock of a class in the arena
  task_list<control_block> of[stack_classes];  // guarded by lock, as is the writing of the count
  nanos hopeless_since = 0;           // guarded by lock: the first verdict of those in a row
  nanos hopeless_last = 0;            // likewise; the last one
  std::uint64_t hopeless_switch = 0;  // likewise; how many switches there had been
  atomic<nanos> next_try{0};
  atomic<bool> told{false};
};
constinit waiting_room room{};

control_block* pop_locked(stack_class c) noexcept {
  control_block* block = room.of[c].pop_front();
  if (block) stackless.now.fetch_sub(1, std::memory_order_relaxed);
  return block;
}

// Whether the kernel alone can help, and has refused to for so long that it never will. A refusal
// that passes (memory that others give back) must not end the process.
bool given_up(nanos at) noexcept {
  const standstill seen = look_for_standstill(stackless.now.load(std::memory_order_relaxed));
  if (!seen.complete) return false;
  room.next_try.store(at + hopeless_gap, std::memory_order_relaxed);
  const spin_guard guard(room.lock);
  // Somebody has run, or the last verdict is so old that it was about another shortage.
  if (room.hopeless_switch != seen.switches || at - room.hopeless_last > 2 * retry_gap) {
    room.hopeless_since = at;
  }
  room.hopeless_switch = seen.switches;
  room.hopeless_last = at;
  return at - room.hopeless_since >= patience;
}

[[noreturn]] void die_without_stack(const control_block& block) noexcept {
  fatal("fiber %llu has no stack and nothing else can run to free one: %s",
        static_cast<unsigned long long>(block.serial.load(std::memory_order_relaxed)),
        "for 3 s the kernel has refused memory or guards below the limit (vm.max_map_count, "
        "RLIMIT_AS, the control group's memory.max)");
}

// An idle processor with stacks is woken: its carrier comes by its loop and empties the cache.
void recall_stacks(runtime_core& core) noexcept {
  for (;;) {
    wake_call wake;
    {
      const spin_guard guard(core.idle_lock);
      processor* p = core.idle_list;
      while (p && p->stacks.size() == 0) p = p->next_idle;
      if (!p) return;
      wake = give_idle_locked(core, p, *p->sleeper);
    }
    carry_out(core, wake, nullptr);
  }
}

void tell_once(const control_block& block) noexcept {
  if (room.told.exchange(true, std::memory_order_relaxed)) return;
  report("fiber %llu has waited for a stack, and begins when there is one again: %s",
         static_cast<unsigned long long>(block.serial.load(std::memory_order_relaxed)),
         "the kernel refuses memory or guards below the limit (vm.max_map_count, RLIMIT_AS)");
}
}  // namespace

void wait_for_stack(control_block& block) noexcept {
  const nanos at = now();
  {
    const spin_guard guard(room.lock);
    if (!any_stackless()) {
      // Soon, for a shortage that passes; but not if it has just been tried.
      const nanos due = room.next_try.load(std::memory_order_relaxed);
      if (due < at) room.next_try.store(at + hopeless_gap, std::memory_order_relaxed);
    }
    room.of[block.size_class].push_back(&block);
    // seq_cst: W1; pairs with the look of a monitor that has announced that it rests.
    stackless.now.fetch_add(1, std::memory_order_seq_cst);
  }
  for (runtime_core* core = first_core(); core; core = core->next_core) {
    // seq_cst: W3; pairs with the store in the monitor's rest.
    if (core->monitor_resting.load(std::memory_order_seq_cst) != 0) wake_monitor_if_resting(*core);
  }
}

void feed_stackless() noexcept {
  for (unsigned c = 0; c < stack_classes; ++c) {
    const auto cls = static_cast<stack_class>(c);
    task_list<control_block> fed;
    {
      const spin_guard guard(room.lock);
      if (room.of[c].empty()) continue;
      const std::size_t idle = stack_arena::instance().idle(cls);
      while (fed.count < idle && !room.of[c].empty()) fed.push_back(pop_locked(cls));
    }
    while (control_block* block = fed.pop_front()) make_ready(block);
  }
}

void tend_stackless(runtime_core& core) noexcept {
  recall_stacks(core);
  const nanos at = now();
  nanos due = room.next_try.load(std::memory_order_relaxed);
  if (at < due || !room.next_try.compare_exchange_strong(
                      due, at + retry_gap, std::memory_order_relaxed, std::memory_order_relaxed)) {
    return;
  }
  const bool over = given_up(at);
  for (unsigned c = 0; c < stack_classes; ++c) {
    control_block* block = nullptr;
    {
      const spin_guard guard(room.lock);
      block = pop_locked(static_cast<stack_class>(c));
    }
    if (!block) continue;
    if (over) die_without_stack(*block);
    tell_once(*block);
    make_ready(block);
  }
}
}  // namespace weft::detail
