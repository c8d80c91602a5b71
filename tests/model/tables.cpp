// What is made once and found by anybody without a lock: it is complete when it is found.
//
// Mirrored, order for order: chunk_table::make_leaves, add and find (stack/chunk_table.cpp),
// map_chunk_locked, publish_fresh_locked and slab_for_each (fiber/slab.cpp; make_shelf and size in
// stack/cache.cpp, and start_carrier and looks_of in sched/, have the same form), extras_of
// (fiber/extras.cpp; the chunks of io/fd_table.cpp likewise), freeze (default_runtime.cpp),
// may-spawn (sched/spawn.cpp) and stay_frozen (sched/loop.cpp).
#include "model.hpp"

namespace {

using model::check;
using model::checked;
using weft::detail::atomic;

// A handler of faults looks an address up while the chunk around it is made.
struct chunk_is_found : model::test<chunk_is_found, 2> {
  checked<int> leaf_cleared;
  checked<int> head;
  atomic<int> top{0};       // the leaf
  atomic<int> index{0};     // in the leaf
  atomic<int> by_index{0};  // the chunk

  void add() {
    leaf_cleared = 1;
    top.store(1, std::memory_order_release);
    head = 1;
    by_index.store(1, std::memory_order_release);
    index.store(1, std::memory_order_release);
  }
  void find() {
    if (top.load(std::memory_order_acquire) == 0) return;
    check(leaf_cleared == 1, "a leaf that is not cleared");
    if (index.load(std::memory_order_acquire) == 0) return;
    check(by_index.load(std::memory_order_acquire) != 0, "an index without a chunk");
    check(head == 1, "a chunk without a head");
  }
  void at() {  // by a slot's name
    if (by_index.load(std::memory_order_acquire) != 0) check(head == 1, "a chunk without a head");
  }
  void thread(unsigned thread) {
    if (thread == 0) return add();
    find();
    at();
  }
};

// Entries are written before the count that covers them.
struct counted_entries : model::test<counted_entries, 2> {
  checked<int> entry[2];
  atomic<unsigned> count{0};

  void add() {
    for (unsigned i = 0; i < 2; ++i) {
      entry[i] = 1;
      count.store(i + 1, std::memory_order_release);
    }
  }
  void visit() {
    const unsigned n = count.load(std::memory_order_acquire);
    for (unsigned i = 0; i < n; ++i) check(entry[i] == 1, "an entry that is not written");
  }
  void thread(unsigned thread) { thread == 0 ? add() : visit(); }
};

// Made by whoever needs it first; the loser takes the winner's.
struct made_on_demand : model::test<made_on_demand, 2> {
  checked<int> made[3];
  atomic<int> current{0};

  int obtain(int mine) {
    if (const int other = current.load(std::memory_order_acquire)) return other;
    made[mine] = 1;
    int other = 0;
    if (current.compare_exchange_strong(other, mine, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
      return mine;
    }
    return other;
  }
  void thread(unsigned thread) {
    check(made[obtain(static_cast<int>(thread) + 1)] == 1, "it is not complete");
  }
};

// The process exits: who finds it frozen knows by whom, and who is counted runs no more.
struct freeze : model::test<freeze, 2> {
  atomic<int> frozen_by{0};
  atomic<int> frozen{0};
  atomic<int> frozen_count{0};
  checked<int> fibers;  // what a carrier does until it is frozen

  void at_exit() {
    frozen_by.store(1, std::memory_order_relaxed);
    frozen.store(1, std::memory_order_seq_cst);
    if (frozen_count.load(std::memory_order_acquire) == 1) fibers = 2;
  }
  void spawn() {
    if (frozen.load(std::memory_order_acquire) == 0) return;
    check(frozen_by.load(std::memory_order_relaxed) == 1, "frozen by nobody");
  }
  void carry() {
    fibers = 1;
    if (frozen.load(std::memory_order_relaxed) == 0) return;
    frozen_count.fetch_add(1, std::memory_order_release);
  }
  void thread(unsigned thread) {
    if (thread == 0) return at_exit();
    spawn();
    carry();
  }
};

}  // namespace

int main() {
  using model::operation;
  return model::run(
      {
          model::full<chunk_is_found>("a chunk is found while it is made"),
          model::full<counted_entries>("entries below a count"),
          model::full<made_on_demand>("made by whoever comes first"),
          model::full<freeze>("the process exits"),
      },
      "model/tables.cpp",
      {
          {"find", operation::load, std::memory_order_relaxed,
           "of the chunk: its index, acquired before, was released after it"},
          {"at_exit", operation::store, std::memory_order_release,
           "nobody looks at another word behind it; exit comes once"},
      });
}
