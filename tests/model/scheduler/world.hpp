// A runtime on the model's kernel: one core, its processors, carriers and fibers. A model is this
// and a few lines for each thread. A fiber is a function that is called whenever it is switched to:
// where it parks, its frame is abandoned, and it begins anew when it is resumed.
#pragma once

#include <csetjmp>

#include "timers.hpp"

namespace sched_model {

struct world;
inline world* here = nullptr;  // of the interleaving that runs

struct fiber {
  control_block block;
  checked<int> runs;  // also finds two that run it at once
  gate ran;           // opened by the first run
};

struct world {
  static constexpr unsigned fibers = 2;
  kernel os;
  runtime_core core;
  processor processors[2];
  carrier carriers[3];
  thread_header headers[most_threads];
  int error_of[most_threads] = {};
  exception_state exceptions_of[most_threads];
  timers_and_kernel events{os, core};
  stack_arena arena;
  fiber all[fibers];
  fiber_extras extras;

  // What a fiber does when it runs for the nth time, from 0.
  virtual void run(fiber&, int /*nth*/) noexcept { finish(); }
  // The monitor ticks.
  virtual void tick() noexcept {}
  // The monitor, resting, tidies the arena.
  virtual void end_period() noexcept {}
  // By the fiber that is the last to do something: the runtime ends.
  void finish() noexcept {
    weft::detail::model::over = true;
    stop_threads(core);
  }
  // By each of so many, the last of which ends it.
  void finish(int so_many) noexcept {
    if (ended.fetch_add(1, std::memory_order_relaxed) + 1 == so_many) finish();
  }
  atomic<int> ended{0};

  // Before anything else, by before().
  void start(std::uint32_t workers) {
    here = this;
    weft::detail::model::over = false;
    model_globals(true);
    core.workers = workers;
    core.search_limit = 1;
    core.events = &events;
    core.blocking_limit = 100;
    for (std::uint32_t i = 0; i < workers; ++i) {
      processors[i].core = &core;
      processors[i].index = i;
      processors[i].solo = workers == 1;
      core.processors[i] = &processors[i];
    }
    for (std::uint32_t i = 0; i < 3; ++i) {
      carriers[i].core = &core;
      carriers[i].index = i;
    }
    statistics();
    for (unsigned i = 0; i < most_threads; ++i) {
      headers[i].errno_address = &error_of[i];
      headers[i].exceptions = &exceptions_of[i];
    }
    for (fiber& f : all) {
      f.block.rt.store(&core, std::memory_order_relaxed);
      f.block.flags = fiber_flag::started;
    }
  }
  void statistics() {
    constexpr auto statistic = weft::detail::model::stillness::statistic;
    const auto all_of = [](counters& c) {
      for (auto* counter :
           {&c.switches, &c.steals, &c.wakes, &c.looks, &c.blocking_calls, &c.fruitless_searches}) {
        counter->hold_still(statistic);
      }
    };
    all_of(core.foreign);
    core.slot_wake_hold.hold_still(statistic);
    for (processor& p : processors) {
      all_of(p.count);
      p.holder.hold_still(statistic);
      p.slot_pushes.hold_still(statistic);
    }
    for (carrier& c : carriers) {
      c.watch_holds.hold_still(statistic);
      c.sleeps.hold_still(statistic);
    }
  }
  // Without a monitor, pinned fibers or fibers in slots nobody writes these, or nobody reads them.
  void plain() {
    using still = weft::detail::model::stillness;
    for (auto* word : {&core.frozen, &core.starving, &core.monitor_resting, &core.cancelling,
                       &core.draining, &stackless.now}) {
      word->hold_still(still::constant);
    }
    core.foreign.wakes.hold_still(still::unread);
    for (processor& p : processors) {
      p.state.hold_still(still::unread);
      p.holder.hold_still(still::unread);
      p.slot.hold_still(still::constant);
      p.slot_pushes.hold_still(still::constant);
    }
    for (carrier& c : carriers) c.pinned_count.hold_still(still::constant);
  }
  void without_timers() { events.hold_still(); }
  // By after().
  void end() {
    check(weft::detail::model::over, "the end was not reached");
    model_globals(false);
  }
  static void model_globals(bool begin);

  // `threads`: of the model; the last one calls tend().
  void has_monitor(unsigned threads) {
    os.all.threads = threads;
    os.all.monitor = threads - 1;
  }
  void tend() { monitor_loop(core); }

  // To be run by that processor.
  void queue(unsigned processor, unsigned number) {
    all[number].block.word.begin(false);
    all[number].block.word.claim(1, wake_reason::wake);
    processors[processor].ring.push(&all[number].block);
  }

  // The model's thread becomes the carrier of that number and runs until the runtime stops.
  void carry(unsigned number) {
    carrier& me = carriers[number];
    me.handed.store(number < core.workers ? &processors[number] : nullptr,
                    std::memory_order_relaxed);
    carrier_loop(me);
    os.all.leave();
    left.open();
  }
  gate left;           // a carrier's thread has ended
  bool joins = false;  // pthread_join waits for it; else nothing is recycled that it might touch
  // Carriers 0 to n - 1 exist from the start; they are threads of the model.
  void has_carriers(std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i) core.carriers[i] = &carriers[i];
    core.carrier_count.store(n, std::memory_order_relaxed);
  }

  // A fiber that waits; the token is returned.
  wait_token parked(unsigned number) {
    control_block& block = all[number].block;
    block.word.begin(false);
    return {&block, block.word.epoch()};
  }
  static void wake(wait_token token) {
    check(token.block->word.claim(token.epoch, wake_reason::wake), "nobody else claims");
    make_ready(token.block);
  }

  // The fiber that runs on the calling thread parks; it does not return.
  void park(bool cancellable, nanos deadline = never) noexcept {
    arming arg{&events, deadline, current()->held->index};
    park_fiber(wait_kind::event, nullptr, cancellable, deadline == never ? nullptr : arm, &arg);
  }

  // -- the switch
  std::jmp_buf loops[most_threads];
  fiber* running[most_threads] = {};

 private:
  struct arming {
    timers_and_kernel* events;
    nanos deadline;
    std::uint32_t processor;
  };
  static void arm(control_block* parked, void* arg) noexcept {
    const arming a = *static_cast<arming*>(arg);
    a.events->arm(a.processor, a.deadline, {parked, parked->word.epoch()});
  }
};

}  // namespace sched_model

namespace weft::detail {
using sched_model::here;

void join_thread() noexcept {
  if (here->joins) here->left.wait(here->os.all);
}
thread_header* current() noexcept {
  return &here->headers[sched_model::thread_index()];
}
void adopt_thread(thread_header*) noexcept {}
nanos now() noexcept {
  return here->os.clock;
}
std::uint64_t ticks() noexcept {
  static std::uint64_t far = 0;
  return far += 1'000'000;
}
bool futex_wait(const void* word, std::uint32_t expected, nanos deadline) noexcept {
  return here->os.futex_wait(word, expected, deadline);
}
void futex_wake(const void* word, int) noexcept {
  here->os.futex_wake(word);
}
stack_arena& stack_arena::instance() noexcept {
  return here->arena;
}
void stack_arena::end_period() noexcept {
  here->end_period();
}
void slab_cache::spill_slow(std::size_t) noexcept {}
signal_stack::signal_stack() noexcept {}
signal_stack::~signal_stack() {}
void report(const char*, ...) noexcept {}
void fatal(const char* what, ...) noexcept {
  model::check(false, what);
  __builtin_unreachable();
}
bool has_forked() noexcept {
  return false;
}
void look_for_probes(runtime_core&) noexcept {
  here->tick();
}
fiber_extras& extras_of(control_block&) {
  return here->extras;
}
local_values::~local_values() = default;  // no fiber here has any
void fiber_main(void*) noexcept {}

// From a fiber: it is off its stack, so `after` may publish it. From a loop: runs fibers until one
// has nobody to switch to.
void* switch_to(context* from, context, after_fn after, void* arg) noexcept {
  const unsigned thread = sched_model::thread_index();
  if (here->running[thread]) {
    here->running[thread] = nullptr;
    if (after) after(arg, from);
    std::longjmp(here->loops[thread], 1);
  }
  setjmp(here->loops[thread]);
  thread_header* const header = current();
  while (header->fiber) {
    auto& f = *reinterpret_cast<sched_model::fiber*>(header->fiber);
    const int nth = f.runs;
    f.runs = nth + 1;
    here->running[sched_model::thread_index()] = &f;
    here->run(f, nth);
    here->running[sched_model::thread_index()] = nullptr;
    header->fiber = nullptr;
  }
  return header;
}
}  // namespace weft::detail

inline void sched_model::world::model_globals(bool begin) {
  using namespace weft::detail;
  const auto each = [begin](auto& global) {
    begin ? weft::detail::model::renew(global) : weft::detail::model::release(global);
  };
  each(stackless);
  each(room);
  each(cores_lock);
  each(cores);
}
