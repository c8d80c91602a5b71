#pragma once
#include <cstddef>
#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "base/spin_lock.hpp"
#include "queue/inject_queue.hpp"
#include "sched/carrier.hpp"
#include "sched/event_source.hpp"
#include "sched/idle.hpp"
#include "sched/processor.hpp"

namespace weft::detail {
inline constexpr std::uint32_t max_workers = 1024;
inline constexpr std::uint32_t max_carriers = 8192;

struct hog;

// runtime_core::cancelling. Cancellation points look at the word anyway; so `explored` makes them
// take a slow way at no cost to others.
namespace cancelling_bit {
inline constexpr std::uint32_t stop = 1;      // every fiber counts as asked to stop
inline constexpr std::uint32_t explored = 2;  // cancellation points are scheduling points
}  // namespace cancelling_bit

// A wait list for callers of blocking() beyond the cap; see sched/blocking.cpp.
struct blocking_gate {
  spin_lock lock;
  std::uint32_t inside = 0;             // guarded by lock
  task_list<control_block> waiting;     // likewise
  atomic<std::uint32_t> inside_now{0};  // mirrors, for statistics
  atomic<std::uint32_t> waiting_now{0};
};

namespace slow_spawn {
inline constexpr std::uint32_t frozen = 1;    // runtime_core::frozen is set
inline constexpr std::uint32_t observed = 2;  // spawns are looked at
inline constexpr std::uint32_t inherits = 4;  // some fiber has a value that those it spawns see
}  // namespace slow_spawn

// The shared state of one runtime. Type-stable and process-wide: recycled when the runtime ends,
// never freed, because a foreign thread may be half way through waking a fiber of it (D3). The
// cores of a process are few, so they are kept in a list for ever.
struct alignas(cache_line) runtime_core {
  // -- written once at start
  // -------------------------------------------------------------------------
  std::uint32_t workers = 0;
  std::uint32_t search_limit = 1;    // max(1, workers / 2)
  std::uint32_t blocking_limit = 0;  // callers of blocking() at a time
  stack_class default_class = 0;
  std::uint32_t number = 0;  // of the runtimes of the process, from 1
  event_source* events = nullptr;
  explorer* exploring = nullptr;  // weft::testing::explore runs here; see sched/explorer.hpp
  nanos hog_limit = 0;            // how long a fiber may hold a processor unreported; 0: for ever
  void (*report_hog)(const hog&) noexcept = nullptr;
  processor* processors[max_workers] = {};  // never shrinks; the first `workers` are in use

  // -- any thread
  // ------------------------------------------------------------------------------------
  inject_queue<control_block> inject;
  alignas(cache_line) idle_word idle;
  atomic<std::uint32_t> watch{0};            // 1: a thread blocks in events->poll, or is about to
  atomic<nanos> watch_until{never};          // when it will return by itself
  atomic<std::uint32_t> monitor_resting{0};  // 1: the monitor sleeps without a time limit
  atomic<std::uint32_t> stopping{0};         // carriers are to leave
  atomic<std::uint32_t> cancelling{0};       // cancelling_bit
  atomic<std::uint32_t> draining{0};         // somebody waits in `drained` for the last fiber
  atomic<std::uint32_t> drained{0};      // futex word, advanced when a fiber ends while draining
  atomic<std::uint32_t> slow_spawns{0};  // not 0: spawns take the long way; slow_spawn says why
  atomic<std::uint32_t> observed{0};     // who watches: observe.hpp
  atomic<std::uint32_t> frozen{0};       // the process exits: carriers stop at their next switch
  atomic<const thread_header*> frozen_by{
      nullptr};                             // the thread that exits; written before `frozen`
  atomic<std::uint32_t> frozen_count{0};    // those that have
  atomic<std::uint32_t> foreign_visits{0};  // foreign threads inside a wake; the end waits for 0
  atomic<std::uint64_t> foreign_spawned{0};
  // A lone fiber pushed into a slot is mostly half of a ping-pong pair, and waking a processor for
  // it is wasted. Pushes between two such wakes: doubled by a fruitless search, reset by a fruitful
  // one.
  atomic<std::uint32_t> slot_wake_hold{1};
  atomic<std::uint64_t> branches{0};  // on the processors' lists: sched/branch_list.hpp
  atomic<std::uint32_t> starving{0};  // carriers with pinned work and no processor
  atomic<std::uint64_t> hogs{0};      // fibers that held a processor for longer than hog_limit
  counters foreign;                   // the monitor's own counters
  blocking_gate gate;

  // -- idle processors and spare carriers
  // --------------------------------------------------------------
  spin_lock idle_lock;
  processor* idle_list = nullptr;          // guarded by idle_lock; last idle first
  carrier* spare_list = nullptr;           // likewise
  atomic<std::uint32_t> carrier_count{0};  // written under the lock
  carrier* carriers[max_carriers] = {};    // entry k is written before carrier_count > k

  atomic<std::uint32_t> visitors{0};  // core_visit
  atomic<std::uint32_t> closed{1};    // likewise: the threads are not there, or about to go

  carrier monitor;                    // not a worker: never holds a processor
  runtime_core* next_core = nullptr;  // the process's list of cores
  atomic<bool> in_use{false};

  bool solo() const noexcept { return workers == 1; }
};
}  // namespace weft::detail
