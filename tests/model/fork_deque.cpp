// The fork deque: every branch is taken once, by its owner or by one thief, the oldest by thieves,
// and whoever takes it sees what it holds; and nothing of a fork's frame is touched after the last
// settling that its owner does not wait for.
#include "queue/fork_deque.hpp"
#include "model.hpp"

namespace {

using model::check;
using model::checked;

struct task {
  checked<int> payload;
};

constexpr int taken_mark = 1000;

template <int Tasks>
struct account {
  task tasks[Tasks];
  int pushed = 0;

  task* make(int i) {
    tasks[i].payload.set(i);
    return &tasks[i];
  }
  void take(task* t) {
    const int id = t->payload.get();
    check(id >= 0 && id < taken_mark, "a task was taken twice");
    t->payload.set(id + taken_mark);
  }
};

// The owner pushes `First`, pops one, pushes one more, pops until nothing is its own; the thieves
// steal `Steals` times each. Capacity 2: slots are used again under their eyes.
template <int Threads, int First, int Steals, std::uint32_t Capacity>
struct owner_and_thieves
    : model::test<owner_and_thieves<Threads, First, Steals, Capacity>, Threads> {
  weft::detail::fork_deque<task, Capacity> deque;
  account<First + 1> all;
  int own[First + 1];
  int owned = 0;

  void push(int i) {
    check(deque.fits(1), "no room");
    deque.push(all.make(i));
    own[owned++] = i;
  }
  // As fork_join does: what is popped is what was pushed last.
  bool pop() {
    const int last = own[--owned];
    if (!deque.pop()) return false;
    all.take(&all.tasks[last]);
    return true;
  }
  void thread(unsigned index) {
    if (index > 0) {
      int last = -1;
      for (int i = 0; i < Steals; ++i) {
        task* const stolen = deque.steal();
        if (!stolen) continue;
        const int id = static_cast<int>(stolen - all.tasks);
        check(id > last, "not the oldest first");
        last = id;
        all.take(stolen);
      }
      return;
    }
    for (int i = 0; i < First; ++i) push(i);
    // One that is stolen says that all older ones are.
    if (owned > 0 && !pop()) owned = 0;
    push(First);
    while (owned > 0) {
      if (!pop()) owned = 0;
    }
  }
  void after() {
    while (task* const left = deque.steal()) {
      check(false, "the owner has left one");
      all.take(left);
    }
    for (task& t : all.tasks) check(t.payload.get() >= taken_mark, "a task was lost");
  }
};

// Proof (4): what a thief did before its exchange happens before the owner uses the slot again.
struct slot_again : model::test<slot_again, 2> {
  weft::detail::fork_deque<task, 2> deque;
  account<3> all;
  checked<int> reading;

  void before() {
    deque.push(all.make(0));
    deque.push(all.make(1));
  }
  void thread(unsigned index) {
    if (index > 0) {
      reading.set(1);
      if (task* const t = deque.steal()) all.take(t);
    } else if (deque.fits(1)) {
      deque.push(all.make(2));
      check(reading.get() == 1, "a slot was written before the thief had read it");
    }
  }
};

}  // namespace

int main() {
  return model::run(
      {
          model::full<owner_and_thieves<2, 1, 1, 2>>("one branch, one thief"),
          model::full<slot_again>("a slot is used again behind a thief"),
          model::bounded<owner_and_thieves<2, 2, 2, 2>>(5, "two branches and a third, one thief"),
          model::bounded<owner_and_thieves<3, 2, 1, 2>>(3, "two branches and a third, two thieves"),
      },
      "queue/fork_deque.hpp",
      {
          {"pop", model::operation::read_modify_write, std::memory_order_relaxed,
           "proof (2) needs the thief's load of bottom behind that of top; the checker never moves "
           "a load forward"},
          {"steal", model::operation::load, std::memory_order_relaxed, "likewise"},
      });
}
