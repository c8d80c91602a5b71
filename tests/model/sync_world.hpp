// What the models of synchronisation objects have in common: their cores' own source, over waits
// that are the model's. Each thread of a model waits as a fiber does, which runs again when
// somebody has made it ready, or as a kernel thread, which goes on as soon as it sees its wait
// claimed.
#pragma once

#include "model.hpp"

#include <functional>
#include <new>

#define static_assert(...)  // sizes are the checker's
#define constinit
#define private public  // a model may begin in the middle

#include "park/wake_batch.cpp"
#include "sched/publication.hpp"
#include "sync/barrier_core.cpp"
#include "sync/condition_core.cpp"
#include "sync/event_core.cpp"
#include "sync/latch_core.cpp"
#include "sync/mutex_core.cpp"
#include "sync/once_core.cpp"
#include "sync/semaphore_core.cpp"
#include "sync/shared_core.cpp"

namespace sync_model {
namespace model = ::model;  // and not weft::detail::model
using namespace weft::detail;
using model::check;
using model::checked;

constexpr unsigned most_threads = 4;
constexpr nanos soon = 5;

inline unsigned thread_index() noexcept {
  return rl::ctx().threadx_->index_;
}

// Where a fiber stands until it is made ready.
class gate {
 public:
  void open() noexcept {
    const weft::detail::model::without_preemption step(true);
    order_.fetch_add(1, std::memory_order_release);
    open_ = true;
    place_.unpark_all(rl::ctx(), RL_INFO);
  }
  void pass() noexcept {
    while (order_.fetch_add(1, std::memory_order_acquire), !open_) {
      place_.park_current(rl::ctx(), false, false, false, RL_INFO);
    }
    open_ = false;
  }

 private:
  atomic<unsigned> order_{0};
  bool open_ = false;
  rl::waitset<8> place_;
};

struct world;
inline world* here = nullptr;  // of the interleaving that runs

struct world {
  control_block blocks[most_threads];
  thread_header headers[most_threads];
  gate ready[most_threads];
  publication_mark publishing[most_threads];
  atomic<wait_word::epoch_type> armed[most_threads];  // a timer's token; 0: none
  spin_lock locks[2];
  const void* other = nullptr;  // the object that has the second lock

  void start(bool threads) {
    here = this;
    for (unsigned i = 0; i < most_threads; ++i) {
      blocks[i].flags = threads ? fiber_flag::kernel_thread : fiber_flag::started;
      headers[i].fiber = threads ? nullptr : &blocks[i];
      blocks[i].rt.store(reinterpret_cast<runtime_core*>(this), std::memory_order_relaxed);
    }
  }
  owner_id id(unsigned i) const noexcept { return 8 * (i + 1); }
  owner_id mine() const noexcept { return id(thread_index()); }

  // What the clock and a stop request do, once.
  void expire(unsigned i) noexcept {
    const wait_word::epoch_type epoch = armed[i].load(std::memory_order_acquire);
    if (epoch != 0 && blocks[i].word.claim(epoch, wake_reason::timeout)) run(i);
  }
  void stop(unsigned i) noexcept {
    const wait_word::epoch_type epoch = blocks[i].word.cancellable_epoch();
    if (epoch == 0) return;
    while (publishing[i].covers(&blocks[i])) cpu_relax();  // as cancel_wait does
    if (blocks[i].word.claim(epoch, wake_reason::cancel)) run(i);
  }
  void run(unsigned i) noexcept {
    if (!(blocks[i].flags & fiber_flag::kernel_thread)) ready[i].open();
  }

  wake_reason wait(bool cancellable, nanos deadline, publish_fn publish, void* arg) noexcept {
    const unsigned i = thread_index();
    control_block& me = blocks[i];
    // As after_park does.
    if (cancellable) publishing[i].open(&me);
    me.word.begin(cancellable);
    publish(&me, arg);
    if (cancellable) publishing[i].close();
    // As publish_timed does: the timer last.
    if (deadline != never) armed[i].store(me.word.epoch(), std::memory_order_release);
    if (me.flags & fiber_flag::kernel_thread) {
      while (wait_word::is_parked(me.word.futex_value())) cpu_relax();
    } else {
      ready[i].pass();
    }
    return me.word.reason();
  }
};
}  // namespace sync_model

namespace weft::detail {
using sync_model::here;

// -- what the cores stand on
bool mutex_core::spin(owner_id me) noexcept {
  return try_lock_slow(me);
}
thread_header* current() noexcept {
  return &here->headers[sync_model::thread_index()];
}
std::uint32_t process_copy() noexcept {
  return 0;
}
bool has_forked() noexcept {
  return false;
}
spin_lock& queue_lock(const void* object) noexcept {
  return here->locks[object == here->other];
}
queue_lock_pair::queue_lock_pair(const void* one, const void* other) noexcept
    : first_(&queue_lock(one)), second_(&queue_lock(other)) {
  if (second_ == first_) second_ = nullptr;
  if (second_ == &here->locks[0]) std::swap(first_, second_);
  first_->lock();
  if (second_) second_->lock();
}
queue_lock_pair::~queue_lock_pair() {
  if (second_) second_->unlock();
  first_->unlock();
}
void make_ready(control_block* block) noexcept {
  here->run(static_cast<unsigned>(block - here->blocks));
}
void make_ready(runtime_core&, task_list<control_block> batch) noexcept {
  while (control_block* block = batch.pop_front()) make_ready(block);
}
void futex_wake(const void*, int) noexcept {}
wait_end wait_plainly(wait_kind, const void*, nanos deadline, publish_fn publish, void* arg) {
  const bool timed_out = here->wait(false, deadline, publish, arg) == wake_reason::timeout;
  return timed_out ? wait_end::timed_out : wait_end::woken;
}
wait_end wait(wait_kind, const void*, nanos deadline, publish_fn publish, void* arg) {
  switch (here->wait(true, deadline, publish, arg)) {
    case wake_reason::timeout:
      return wait_end::timed_out;
    case wake_reason::cancel:
      return wait_end::cancelled;
    default:
      return wait_end::woken;
  }
}

// -- what is not reached
void fatal(const char*, ...) noexcept {
  ::model::check(false, "fatal");
  std::abort();
}
void throw_system(int, const char*, ...) {
  ::model::check(false, "throws");
  std::abort();
}
owner_name::owner_name(owner_id) noexcept {}
void check_unused(const void*, spin_lock&, const wait_list&, const char*) noexcept {}
void check_unowned(const void*, owner_id, const char*) noexcept {}
void check_no_readers(const void*, std::uint64_t, const char*) noexcept {}
}  // namespace weft::detail
