#include "sched/stackless.hpp"

#include "base/clock.hpp"
#include "base/fatal.hpp"
#include "sched/drain.hpp"
#include "sched/internal.hpp"
#include "sched/threads.hpp"
#include "stack/arena.hpp"

namespace weft::detail {
namespace {
constexpr nanos retry_gap = 1'000'000'000;

struct waiting_room {
  spin_lock lock;                              // before the lock of a class in the arena
  task_list<control_block> of[stack_classes];  // guarded by lock, as is the writing of the count
  atomic<nanos> next_try{0};
  atomic<bool> told{false};
};
constinit waiting_room room{};

control_block* pop_locked(stack_class c) noexcept {
  control_block* block = room.of[c].pop_front();
  if (block) stackless.now.fetch_sub(1, std::memory_order_relaxed);
  return block;
}

std::uint64_t alive_in_process() noexcept {
  std::uint64_t sum = 0;
  for (const runtime_core* core = first_core(); core; core = core->next_core) sum += alive(*core);
  return sum;
}

// Whether nothing that this library knows of can ever free a stack for `block`. A fiber that has
// begun holds a stack, whatever it waits for: a descriptor, a timer, or a thread that we know
// nothing of may resume it, and it may end. So none may have begun; and none may be left that could
// begin, be it in a queue or on its way: those alive are this one and those that wait like it.
// While the lock is held the latter neither come nor go; alive() errs to the high side only. The
// price is that fibers which wait for one another and for this one are not found out.
bool hopeless_locked(const control_block& block) noexcept {
  return stack_arena::instance().barren(block.size_class) &&
         alive_in_process() == stackless.now.load(std::memory_order_relaxed) + 1;
}

[[noreturn]] void die_without_stack(const control_block& block) noexcept {
  fatal("fiber %llu has no stack and nothing else can run to free one: %s",
        static_cast<unsigned long long>(block.serial.load(std::memory_order_relaxed)),
        "the kernel refused memory or guards below the limit (vm.max_map_count, RLIMIT_AS)");
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
  report("fiber %llu has waited a second for a stack, and begins when another one ends: %s",
         static_cast<unsigned long long>(block.serial.load(std::memory_order_relaxed)),
         "the kernel refuses memory or guards below the limit (vm.max_map_count, RLIMIT_AS)");
}
}  // namespace

void wait_for_stack(control_block& block) noexcept {
  const nanos at = now();
  bool hopeless = false;
  {
    const spin_guard guard(room.lock);
    hopeless = hopeless_locked(block);
    if (!hopeless) {
      if (!any_stackless()) room.next_try.store(at + retry_gap, std::memory_order_relaxed);
      room.of[block.size_class].push_back(&block);
      // seq_cst: W1; pairs with the look of a monitor that has announced that it rests.
      stackless.now.fetch_add(1, std::memory_order_seq_cst);
    }
  }
  if (hopeless) die_without_stack(block);
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
  for (unsigned c = 0; c < stack_classes; ++c) {
    control_block* block = nullptr;
    {
      const spin_guard guard(room.lock);
      block = pop_locked(static_cast<stack_class>(c));
    }
    if (!block) continue;
    tell_once(*block);
    make_ready(block);
  }
}
}  // namespace weft::detail
