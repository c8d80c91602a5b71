// The kernel under sched/: futexes, an epoll with an eventfd in it, a clock. A thread that sleeps
// is parked by the checker, so a wake that is lost is a deadlock, which it reports. Each call is
// one step, ordered after those before it, as the kernel's own locks order them.
#pragma once

#include "sources.hpp"

namespace sched_model {

namespace model = ::model;  // and not weft::detail::model
using namespace weft::detail;

using model::check;
using model::checked;

constexpr unsigned most_threads = 4;

inline unsigned thread_index() noexcept {
  return rl::ctx().threadx_->index_;
}

// Threads that sleep. The monitor's ticks come when all others sleep: a tick that came earlier
// would find nothing that it could not find then, but a search would have to try it at every step.
// A few while nothing happens: it takes a processor at the second look, and rests after two.
class sleepers {
 public:
  unsigned threads = 0;  // of the model
  unsigned monitor = ~0u;

  // Parks the calling thread of the model. False: its time was up.
  bool sleep_in(rl::waitset<8>& place, bool timed) {
    const bool ticks = thread_index() == monitor;
    ++asleep_;
    if (ticks && timed && asleep_ == threads && quiet_ticks_ < most_quiet) return tick();
    monitor_ticks_ = ticks ? timed : monitor_ticks_;
    if (ticks) {
      monitor_sleeps_in_ = &place;
    } else {
      tick_if_quiet();
    }
    const bool woken = place.park_current(rl::ctx(), timed && !ticks, false, false, RL_INFO) ==
                       rl::unpark_reason_normal;
    if (ticks) {
      monitor_sleeps_in_ = nullptr;
      if (ticked_) return ticked_ = false;
    } else {
      quiet_ticks_ = 0;
    }
    --asleep_;
    return woken;
  }
  // A thread of the model that has nothing more to do.
  void leave() {
    ++asleep_;
    tick_if_quiet();
  }

 private:
  bool tick() {
    ++quiet_ticks_;
    --asleep_;
    return false;
  }
  void tick_if_quiet() {
    if (asleep_ != threads || !monitor_sleeps_in_ || !monitor_ticks_) return;
    if (quiet_ticks_ == most_quiet) return;
    tick();
    ticked_ = true;
    monitor_sleeps_in_->unpark_all(rl::ctx(), RL_INFO);
  }

  unsigned asleep_ = 0;
  static constexpr int most_quiet = 4;
  int quiet_ticks_ = 0;  // since another thread ran
  bool ticked_ = false;
  bool monitor_ticks_ = false;
  rl::waitset<8>* monitor_sleeps_in_ = nullptr;
};

// Something that threads of the model wait for, outside the library.
class gate {
 public:
  void wait(sleepers& all) noexcept {
    order_.fetch_add(1, rl::mo_acq_rel, RL_INFO);
    if (!open_) all.sleep_in(waiting_, false);
    order_.fetch_add(1, rl::mo_acq_rel, RL_INFO);
  }
  void open() noexcept {
    order_.fetch_add(1, rl::mo_acq_rel, RL_INFO);
    open_ = true;
    waiting_.unpark_all(rl::ctx(), RL_INFO);
  }
  void close() noexcept {
    order_.fetch_add(1, rl::mo_acq_rel, RL_INFO);
    open_ = false;
  }
  bool is_open() const noexcept { return open_; }

 private:
  rl::atomic<unsigned> order_{0u};
  bool open_ = false;
  rl::waitset<8> waiting_;
};

class kernel {
 public:
  nanos clock = 1;
  sleepers all;

  bool futex_wait(const void* word, std::uint32_t expected, nanos deadline) noexcept {
    enter();
    // Under the lock of the word's bucket: no wake comes between the look and the sleep.
    rl::ctx().disable_preemption();
    const std::uint32_t seen =
        static_cast<const atomic<std::uint32_t>*>(word)->load(std::memory_order_relaxed);
    rl::ctx().enable_preemption();
    if (seen != expected) return true;
    const unsigned me = thread_index();
    sleeps_on_[me] = word;
    const bool woken = all.sleep_in(futexes_[me], deadline != never);
    sleeps_on_[me] = nullptr;
    if (!woken && clock < deadline) clock = deadline;
    if (!woken) enter();  // time has passed: what was stored before is seen
    return woken;
  }

  void futex_wake(const void* word) noexcept {
    enter();
    for (unsigned i = 0; i < most_threads; ++i) {
      if (sleeps_on_[i] != word) continue;
      sleeps_on_[i] = nullptr;
      futexes_[i].unpark_one(rl::ctx(), RL_INFO);
    }
  }

  // `until` 0: only looks.
  void poll(nanos until) noexcept {
    enter();
    check(open, "polls after the runtime has closed its descriptors");
    if (until == 0) return;  // level-triggered: the kick is left for the holder of the watch
    if (!kicked_) {
      check(!poller_, "two hold the watch");
      rl::ctx().disable_preemption();  // no kick comes between the look and the sleep
      watched.open();
      rl::ctx().enable_preemption();
      const bool woken = all.sleep_in(poller_, until != never);
      if (!woken && clock < until) clock = until;
    }
    kicked_ = false;
  }

  void kick() noexcept {
    enter();
    check(open, "kicks after the runtime has closed its descriptors");
    kicked_ = true;
    poller_.unpark_all(rl::ctx(), RL_INFO);
  }

  bool open = true;
  gate watched;  // somebody blocks in poll, or has

 private:
  void enter() noexcept { order_.fetch_add(1, rl::mo_acq_rel, RL_INFO); }

  rl::atomic<unsigned> order_{0u};
  const void* sleeps_on_[most_threads] = {};
  rl::waitset<8> futexes_[most_threads];
  rl::waitset<8> poller_;
  bool kicked_ = false;
};

}  // namespace sched_model
