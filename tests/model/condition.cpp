// The condition variable, with the mutex it stands on, and with any lock: a notification that comes
// after the release of the lock is not missed, and one that meets a timeout goes to another one.
#include "sync_world.hpp"

namespace {
using namespace sync_model;

// With our mutex, and as condition_variable_any does with any lock, here the same.
template <bool Threads, bool Any>
struct condition_world : world {
  mutex_core guard;
  condition_core condition;
  checked<int> tokens;

  void begin() {
    start(Threads);
    other = &condition.queue();
  }
  void lock() { guard.lock(mine(), ""); }
  void unlock() { guard.unlock(mine(), ""); }
  bool wait(nanos deadline) {
    if (!Any) return condition.wait(guard, mine(), deadline);
    condition_any_wait frame;
    frame.link(condition);
    unlock();
    const bool woken = frame.park(deadline);
    lock();
    frame.unlink();
    return woken;
  }
  void give(int number, bool all) {
    lock();
    tokens = tokens + number;
    unlock();
    all ? condition.notify_all() : condition.notify_one();
  }
  void take() {
    lock();
    while (tokens == 0) wait(never);
    tokens = tokens - 1;
    unlock();
  }
  void at_rest() {
    check(tokens == 0, "something is left");
    check(guard.word_.load(std::memory_order_relaxed) <= 1 && guard.queue_.empty(), "left locked");
    check(condition.queue_.empty(), "somebody is left in the queue");
  }
};

template <bool Threads, bool Any>
struct one_waits : ::model::test<one_waits<Threads, Any>, 2>, condition_world<Threads, Any> {
  void before() { this->begin(); }
  void thread(unsigned i) { i == 0 ? this->take() : this->give(1, false); }
  void after() { this->at_rest(); }
};

template <bool Threads, bool Any>
struct all_wait : ::model::test<all_wait<Threads, Any>, 3>, condition_world<Threads, Any> {
  void before() { this->begin(); }
  void thread(unsigned i) { i < 2 ? this->take() : this->give(2, true); }
  void after() { this->at_rest(); }
};

// One notification against the timeout of the one who has waited longer.
template <bool Threads, bool Any>
struct gives_up : ::model::test<gives_up<Threads, Any>, 4>, condition_world<Threads, Any> {
  atomic<bool> over{false};

  void before() { this->begin(); }
  void thread(unsigned i) {
    if (i == 0) {
      this->lock();
      const bool woken = this->tokens > 0 || this->wait(soon);
      // Woken, it is not its to keep: it passes it on.
      this->unlock();
      if (woken) this->condition.notify_one();
      over.store(true, std::memory_order_relaxed);
    } else if (i == 1) {
      this->take();
    } else if (i == 2) {
      this->give(1, false);
    } else {
      // A clock goes on.
      for (this->expire(0); !over.load(std::memory_order_relaxed); this->expire(0)) cpu_relax();
    }
  }
  void after() { this->at_rest(); }
};

// A stop callback against a notification: each wakes, and neither takes the other's.
template <bool Threads>
struct stopped : ::model::test<stopped<Threads>, 3>, condition_world<Threads, true> {
  condition_any_wait frame;
  atomic<bool> linked{false};

  void before() { this->begin(); }
  void thread(unsigned i) {
    if (i == 0) {
      this->lock();
      frame.link(this->condition);
      linked.store(true, std::memory_order_release);
      this->unlock();
      check(frame.park(never), "not woken");
    } else if (i == 1) {
      while (!linked.load(std::memory_order_acquire)) cpu_relax();
      frame.notify();
    } else {
      this->condition.notify_one();
    }
  }
  void after() {
    frame.unlink();
    check(this->condition.queue_.empty(), "somebody is left in the queue");
  }
};
}  // namespace

int main() {
  using ::model::bounded;
  return ::model::run(
      {
          bounded<one_waits<true, false>>(4, "one waits, threads"),
          bounded<one_waits<false, false>>(4, "one waits, fibers"),
          bounded<one_waits<true, true>>(4, "one waits with any lock, threads"),
          bounded<one_waits<false, true>>(4, "one waits with any lock, fibers"),
          bounded<all_wait<true, false>>(1, "two wait, threads"),
          bounded<all_wait<false, false>>(2, "two wait, fibers"),
          bounded<all_wait<false, true>>(2, "two wait with any lock, fibers"),
          bounded<gives_up<true, false>>(1, "a notification against a timeout, threads"),
          bounded<gives_up<false, false>>(1, "a notification against a timeout, fibers"),
          bounded<gives_up<true, true>>(1, "any lock, a notification against a timeout, threads"),
          bounded<gives_up<false, true>>(1, "any lock, a notification against a timeout, fibers"),
          bounded<stopped<true>>(3, "a stop against a notification, threads"),
          bounded<stopped<false>>(3, "a stop against a notification, fibers"),
      },
      nullptr);  // its orders are the mutex's and those of the queue's lock
}
