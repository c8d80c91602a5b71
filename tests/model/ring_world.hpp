// What the models of the local ring share: tasks, the account of who took them, small rings.
#pragma once

#include "model.hpp"
#include "queue/local_ring.hpp"

namespace {

using model::check;
using model::checked;

struct task {
  checked<int> payload;  // written by the pusher, read and written again by the taker
};

constexpr int taken_mark = 1000;

// Constructed slots: Relacy knows no atomics that are only zeros. By malloc: operator delete is
// Relacy's, and frees only what it gave out.
struct memory {
  template <class Slot>
  static Slot* allocate(std::size_t count) noexcept {
    auto* const slots = static_cast<Slot*>(std::malloc(count * sizeof(Slot)));
    for (std::size_t i = 0; i < count; ++i) ::new (slots + i) Slot;
    return slots;
  }
  template <class Slot>
  static void release(Slot* slots, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) slots[i].~Slot();
    std::free(slots);
  }
};

// Grows from First to Most; `fixed` never.
template <std::uint32_t First, std::uint32_t Most>
using growing = weft::detail::local_ring<task, First, Most, memory>;
template <std::uint32_t Capacity>
using fixed = growing<Capacity, Capacity>;

template <class Ring>
bool push_growing(Ring& ring, task* t) {
  return ring.push(t) || (ring.grow_slow() && ring.push(t));
}

// A set of tasks and the account of who got them.
template <std::size_t Tasks>
struct account {
  task tasks[Tasks];

  // Before pushing: an unsynchronised write, so the taker's access must be ordered after it.
  task* make(int i) {
    tasks[i].payload.set(i);
    return &tasks[i];
  }

  // Plain data with one access each: a task taken twice fails as a race or by its mark.
  int take(task* t) {
    const int id = t->payload.get();
    check(id >= 0 && id < taken_mark, "a task was taken twice");
    t->payload.set(id + taken_mark);
    return id;
  }

  template <class Ring>
  void drain(Ring& ring) {
    int last = -1;
    while (task* t = ring.pop()) {
      const int id = take(t);
      check(id > last, "out of order");
      last = id;
    }
    check(ring.size() == 0, "an empty ring has a size");
  }

  void all_taken(int made) {
    for (int i = 0; i < made; ++i) {
      check(tasks[i].payload.get() == i + taken_mark, "a task was lost");
    }
  }
};

}  // namespace
