// The slot of a processor, whose fiber runs next: its owner pushes and takes, a thief takes. Every
// fiber is run once, by somebody who sees what its waker wrote. Over sched/switch.cpp, loop.cpp and
// the ring as they are.
#include "model.hpp"

#include <new>

#define static_assert(...)  // sizes are the checker's
#define constinit

#include "sched/loop.cpp"
#include "sched/switch.cpp"

#include "sched/explorer.hpp"
#include "sched/hogs.hpp"
#include "sched/signal_stack.hpp"
#include "sched/standstill.hpp"
#include "scheduler/bystanders.hpp"

// What else these files may do is not looked at here.
namespace weft::detail {
inline void not_here() noexcept {
  model::check(false, "left the slot");
}
thread_header* current() noexcept {
  return nullptr;
}
nanos now() noexcept {
  return 1;
}
// Far from the last call's: a thief does not wait for a time that does not pass.
std::uint64_t ticks() noexcept {
  static std::uint64_t far = 0;
  return far += 1'000'000;
}
void adopt_thread(thread_header*) noexcept {}
bool futex_wait(const void*, std::uint32_t, nanos) noexcept {
  return not_here(), false;
}
void attach(thread_header*, carrier&, processor*) noexcept {
  not_here();
}
void be_spare(carrier&, bool&) noexcept {
  not_here();
}
bool give_to_starving(runtime_core&, thread_header*, bool&) noexcept {
  return not_here(), false;
}
void go_idle(carrier&, bool&) noexcept {
  not_here();
}
void wake_one(runtime_core&, processor*) noexcept {
  not_here();
}
void make_ready(control_block*) noexcept {
  not_here();
}
void make_ready(runtime_core&, task_list<control_block>) noexcept {
  not_here();
}
void wait_for_stack(control_block&) noexcept {
  not_here();
}
void feed_stackless() noexcept {
  not_here();
}
stack_arena& stack_arena::instance() noexcept {
  not_here();
  __builtin_unreachable();
}
fiber_extras& extras_of(control_block&) {
  not_here();
  __builtin_unreachable();
}
void fiber_main(void*) noexcept {}
void slab_cache::spill_slow(std::size_t) noexcept {}
signal_stack::signal_stack() noexcept {}
signal_stack::~signal_stack() {}
void* switch_to(context*, context, after_fn, void*) noexcept {
  return not_here(), nullptr;
}
}  // namespace weft::detail

namespace {

namespace model = ::model;  // and not weft::detail::model
using namespace weft::detail;
using model::check;
using model::checked;

constexpr int fibers = 3;

struct fiber {
  control_block block;
  checked<int> written;  // by its waker
  checked<int> runs;
};

// The first processor's owner is thread 0. The others search.
template <int Threads>
struct world {
  runtime_core core;
  processor processors[Threads];
  fiber all[fibers];

  void before() {
    core.workers = Threads;
    for (int i = 0; i < Threads; ++i) {
      processors[i].core = &core;
      processors[i].index = static_cast<std::uint32_t>(i);
      core.processors[i] = &processors[i];
    }
    for (processor& p : processors) {
      p.slot_pushes.hold_still(weft::detail::model::stillness::statistic);
    }
  }
  void run(control_block* block) {
    if (block == nullptr) return;
    auto& f = *reinterpret_cast<fiber*>(block);
    check(f.written == 1, "runs without what its waker wrote");
    f.runs = f.runs + 1;
  }
  void wake(int number) {
    all[number].written = 1;
    push_slot_shared(processors[0], &all[number].block);
  }
  void steal(int thief) { run(steal_slot(core, processors[thief])); }
  // Each once: those that lie somewhere are run now.
  void settle(int pushed) {
    for (processor& p : processors) {
      p.slot_streak = 0;
      run(pick_slot_slow(p));
      while (control_block* block = p.ring.pop()) run(block);
    }
    for (int i = 0; i < fibers; ++i) {
      check(all[i].runs == (i < pushed ? 1 : 0), "a fiber is lost, or runs twice");
    }
  }
};

// The owner pushes into an empty slot, over a full one, and takes.
template <int Threads>
struct pushed_and_taken : model::test<pushed_and_taken<Threads>, Threads>, world<Threads> {
  void before() { world<Threads>::before(); }
  void thread(unsigned index) {
    if (index > 0) return this->steal(static_cast<int>(index));
    this->wake(0);
    this->wake(1);
    this->run(pick_slot_slow(this->processors[0]));
    this->wake(2);
  }
  void after() { this->settle(3); }
};

// The cap on runs from the slot: what is there goes to the ring.
struct capped : model::test<capped, 2>, world<2> {
  void before() { world::before(); }
  void thread(unsigned index) {
    if (index > 0) return steal(1);
    wake(0);
    processors[0].slot_streak = slot_limit;
    check(pick_slot_slow(processors[0]) == nullptr, "over the cap");
    wake(1);
  }
  void after() { settle(2); }
};

// The processor changes hands, as it does under a lock or by the word of a carrier that sleeps.
struct handed_over : model::test<handed_over, 3>, world<3> {
  atomic<bool> handed{false};
  void before() { world::before(); }
  void thread(unsigned index) {
    if (index == 2) return steal(2);
    if (index == 0) {
      wake(0);
      wake(1);
      handed.store(true, std::memory_order_release);
    } else if (handed.load(std::memory_order_acquire)) {
      run(pick_slot_slow(processors[0]));
      wake(2);
      run(pick_slot_slow(processors[0]));
    }
  }
  void after() { settle(handed.load(std::memory_order_relaxed) && all[2].written ? 3 : 2); }
};

// A join takes the fiber that it waits for, wherever it is, unless a thief has it.
struct taken_by_a_join : model::test<taken_by_a_join, 2>, world<2> {
  void before() { world::before(); }
  void thread(unsigned index) {
    if (index > 0) {
      steal(1);
      return steal(1);
    }
    for (int i = 0; i < 2; ++i) {
      wake(i);
      if (take_next_shared(processors[0], &all[i].block)) run(&all[i].block);
    }
    wake(2);
  }
  void after() { settle(3); }
};

}  // namespace

int main() {
  using ::model::bounded;
  using ::model::full;
  return ::model::run(
      {
          full<pushed_and_taken<2>>("the owner against a thief"),
          full<capped>("the cap against a thief"),
          full<taken_by_a_join>("a join against a thief"),
          bounded<handed_over>(3, "a new owner against a thief"),
          bounded<pushed_and_taken<3>>(3, "the owner against two thieves"),
      },
      "sched/switch.cpp sched/loop.cpp");
}
