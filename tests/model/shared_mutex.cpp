// Readers and writers: who may be inside with whom, that each sees what those before it wrote, and
// that nobody waits for what would let it in, also behind one who gives up.
#include "sync_world.hpp"

namespace {
using namespace sync_model;

template <bool Threads>
struct shared_world : world {
  shared_core core;
  checked<int> value;
  checked<int> read[most_threads];

  void write(unsigned i, nanos deadline = never) {
    if (!core.lock_until(id(i), "", deadline)) return;
    value = value + 1;
    core.unlock(id(i), "");
  }
  void look(unsigned i, nanos deadline = never) {
    if (!core.lock_shared_until(id(i), "", deadline)) return;
    read[i] = value + 1;
    core.unlock_shared("");
  }
  void at_rest() {
    check(core.word_.load(std::memory_order_relaxed) == 0, "left locked, or marked as queued");
    check(core.queue_.empty(), "somebody is left in the queue");
    check(core.owner_.load(std::memory_order_relaxed) == 0, "left owned");
  }
};

template <bool Threads>
struct two_write : ::model::test<two_write<Threads>, 2>, shared_world<Threads> {
  void before() { this->start(Threads); }
  void thread(unsigned i) { this->write(i); }
  void after() {
    check(this->value == 2, "a write was lost");
    this->at_rest();
  }
};

template <bool Threads>
struct one_writes_one_reads : ::model::test<one_writes_one_reads<Threads>, 2>,
                              shared_world<Threads> {
  void before() { this->start(Threads); }
  void thread(unsigned i) { i == 0 ? this->write(i) : this->look(i); }
  void after() {
    check(this->value == 1 && this->read[1] >= 1, "not served");
    this->at_rest();
  }
};

// Two readers leave, the writer comes after both.
template <bool Threads>
struct two_read : ::model::test<two_read<Threads>, 3>, shared_world<Threads> {
  void before() { this->start(Threads); }
  void thread(unsigned i) { i == 0 ? this->write(i) : this->look(i); }
  void after() {
    check(this->value == 1 && this->read[1] >= 1 && this->read[2] >= 1, "not served");
    this->at_rest();
  }
};

// A reader is inside and stays; a writer waits, and gives up; a reader that waits behind it is let
// in by that. The other way round, the writer gets in when the reader leaves.
template <bool Threads, bool Leaves>
struct gives_up : ::model::test<gives_up<Threads, Leaves>, 4>, shared_world<Threads> {
  atomic<int> over{0};

  void before() {
    this->start(Threads);
    this->core.try_lock_shared();
  }
  void thread(unsigned i) {
    if (i == 0) {
      this->write(0, soon);
      over.fetch_add(1, std::memory_order_relaxed);
    } else if (i == 1) {
      this->look(1);
      over.fetch_add(1, std::memory_order_relaxed);
    } else if (i == 2) {
      if (Leaves) this->core.unlock_shared("");
    } else {
      this->expire(0);
      // A clock goes on.
      while (!Leaves && over.load(std::memory_order_relaxed) < 2) {
        this->expire(0);
        cpu_relax();
      }
    }
  }
  void after() {
    check(this->read[1] >= 1, "not served");
    if (!Leaves) this->core.unlock_shared("");
    this->at_rest();
  }
};
}  // namespace

int main() {
  using ::model::bounded;
  return ::model::run(
      {
          bounded<two_write<true>>(3, "two write, threads"),
          bounded<two_write<false>>(4, "two write, fibers"),
          bounded<one_writes_one_reads<true>>(3, "one writes, one reads, threads"),
          bounded<one_writes_one_reads<false>>(4, "one writes, one reads, fibers"),
          bounded<two_read<true>>(1, "one writes, two read, threads"),
          bounded<two_read<false>>(2, "one writes, two read, fibers"),
          bounded<gives_up<true, false>>(1, "a writer gives up, threads"),
          bounded<gives_up<true, true>>(1, "a writer gives up as a reader leaves, threads"),
          bounded<gives_up<false, false>>(1, "a writer gives up, fibers"),
          bounded<gives_up<false, true>>(1, "a writer gives up as a reader leaves, fibers"),
      },
      "sync/shared_core.cpp");
}
