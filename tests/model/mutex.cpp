// The mutex: one owner at a time, who sees what those before it wrote; nobody waits for a mutex
// that is free; a hand-over goes to one whose wait is open, and a timeout leaves nothing behind.
#include "sync_world.hpp"

namespace {
using namespace sync_model;

template <bool Threads>
struct mutex_world : world {
  mutex_core core;
  checked<int> count;

  void inside() { count = count + 1; }
  void lock_and_count(unsigned i) {
    core.lock(id(i), "");
    inside();
    core.unlock(id(i), "");
  }
  void at_rest() {
    check(core.word_.load(std::memory_order_relaxed) <= 1, "left locked");
    check(core.queue_.empty(), "somebody is left in the queue");
  }
};

template <int N, bool Threads>
struct excludes : ::model::test<excludes<N, Threads>, N>, mutex_world<Threads> {
  void before() { this->start(Threads); }
  void thread(unsigned i) { this->lock_and_count(i); }
  void after() {
    check(this->count == N, "an increment was lost");
    this->at_rest();
  }
};

// The first one has it already: the others wait.
template <bool Threads>
struct two_wait : ::model::test<two_wait<Threads>, 3>, mutex_world<Threads> {
  void before() {
    this->start(Threads);
    this->core.try_lock(this->id(0));
  }
  void thread(unsigned i) {
    if (i != 0) return this->lock_and_count(i);
    this->inside();
    this->core.unlock(this->id(0), "");
  }
  void after() {
    check(this->count == 3, "an increment was lost");
    this->at_rest();
  }
};

// A release against a timeout, and another one that waits behind.
template <bool Threads>
struct times_out : ::model::test<times_out<Threads>, 4>, mutex_world<Threads> {
  checked<int> got;

  void before() {
    this->start(Threads);
    this->core.try_lock(this->id(0));
  }
  void thread(unsigned i) {
    if (i == 0) {
      this->inside();
      this->core.unlock(this->id(0), "");
    } else if (i == 1) {
      if (!this->core.lock_until(this->id(1), "", soon)) return;
      got = 1;
      this->inside();
      this->core.unlock(this->id(1), "");
    } else if (i == 2) {
      this->lock_and_count(2);
    } else {
      this->expire(1);
    }
  }
  void after() {
    check(this->count == 2 + got, "an increment was lost");
    this->at_rest();
  }
};

// A waiter that has been passed over often enough gets it, and nobody comes in between; unless its
// time is up.
template <bool Threads, bool Timed>
struct handed : ::model::test<handed<Threads, Timed>, 3>, mutex_world<Threads> {
  checked<int> taken;

  void before() {
    this->start(Threads);
    this->core.try_lock(this->id(0));
  }
  void thread(unsigned i) {
    if (i == 0) {
      this->inside();
      this->core.unlock(this->id(0), "");
      if (!this->core.try_lock(this->id(0))) return;
      this->inside();
      this->core.unlock(this->id(0), "");
      return;
    }
    if (i == 2) return Timed ? this->expire(1) : void();
    mutex_core::mutex_waiter node;
    node.id = this->id(1);
    node.passed_over = mutex_core::most_passed_over;
    queued_wait wait(&this->core, node, [this](waiter& each) noexcept {
      return this->core.enqueue_locked(static_cast<mutex_core::mutex_waiter&>(each));
    });
    if (wait.plain(wait_kind::mutex, Timed ? soon : never) != wait_end::woken) return;
    check(node.granted, "passed over once more");
    check(this->core.is_owned_by(this->id(1)), "granted, and another one's");
    taken = 1;
    this->inside();
    this->core.unlock(this->id(1), "");
  }
  void after() {
    check(Timed || taken == 1, "not served");
    this->at_rest();
  }
};
}  // namespace

int main() {
  using ::model::bounded;
  return ::model::run(
      {
          bounded<excludes<2, true>>(4, "two threads"),
          bounded<excludes<2, false>>(4, "two fibers"),
          bounded<two_wait<true>>(2, "two threads wait"),
          bounded<two_wait<false>>(2, "two fibers wait"),
          bounded<times_out<true>>(1, "threads, a timeout against a release"),
          bounded<times_out<false>>(1, "fibers, a timeout against a release"),
          bounded<handed<true, false>>(3, "handed to a thread"),
          bounded<handed<false, false>>(3, "handed to a fiber"),
          bounded<handed<true, true>>(2, "handed to a thread whose time is up"),
          bounded<handed<false, true>>(2, "handed to a fiber whose time is up"),
      },
      "sync/mutex_core.hpp sync/mutex_core.cpp base/owner_word.hpp");
}
