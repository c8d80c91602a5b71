// The inject queue: every task is taken exactly once, in the order it was pushed, with what it
// holds; and a processor that announces itself and then finds `size() == 0` cannot have missed a
// producer that then finds nobody announced: the half of the idle protocol that lives here.
#include "queue/inject_queue.hpp"

#include "model.hpp"

namespace {

using model::check;
using model::checked;

struct task {
  checked<task*> next;
  checked<int> payload;
};
using queue = weft::detail::inject_queue<task>;
using list = weft::detail::task_list<task>;

constexpr int taken_mark = 1000;

int take(task* t) {
  const int id = t->payload;
  check(id < taken_mark, "a task was taken twice");
  t->payload = id + taken_mark;
  return id;
}

// A batch from one thread, a single task from another, a taker between them.
struct producers_and_taker : model::test<producers_and_taker, 3> {
  queue inject;
  task tasks[3];

  void thread(unsigned index) {
    if (index == 0) {
      list batch;
      for (int i = 0; i < 2; ++i) {
        tasks[i].payload = i;
        batch.push_back(&tasks[i]);
      }
      inject.push(batch);
    } else if (index == 1) {
      tasks[2].payload = 2;
      inject.push(&tasks[2]);
    } else {
      list got = inject.pop(2);
      check(got.count <= 2, "more than were asked for");
      while (task* t = got.pop_front()) take(t);
    }
  }

  void after() {
    const std::size_t left = inject.size();
    list rest = inject.pop(10);
    check(rest.count == left, "the size is not that of the list");
    int last_of_batch = -1;
    while (task* t = rest.pop_front()) {
      const int id = take(t);
      if (id == 2) continue;
      check(id > last_of_batch, "out of order");
      last_of_batch = id;
    }
    for (int i = 0; i < 3; ++i) check(tasks[i].payload == i + taken_mark, "a task was lost");
    check(inject.size() == 0, "an empty queue has a size");
  }
};

struct one_producer_one_taker : model::test<one_producer_one_taker, 2> {
  queue inject;
  task tasks[1];

  void thread(unsigned index) {
    if (index == 0) {
      tasks[0].payload = 0;
      inject.push(&tasks[0]);
    } else {
      list got = inject.pop(1);
      if (task* t = got.pop_front()) take(t);
    }
  }

  void after() {
    list rest = inject.pop(10);
    if (task* t = rest.pop_front()) take(t);
    check(tasks[0].payload == taken_mark, "the task was lost");
  }
};

// {push; read the flag} against {set the flag; read the size}: one of them sees the other.
struct no_lost_wake : model::test<no_lost_wake, 2> {
  queue inject;
  weft::detail::atomic<int> asleep{0};
  task tasks[1];
  checked<int> saw_sleeper;
  checked<int> saw_work;

  void thread(unsigned index) {
    if (index == 0) {
      inject.push(&tasks[0]);
      if (asleep.load(std::memory_order_seq_cst) == 1) saw_sleeper = 1;
    } else {
      asleep.exchange(1, std::memory_order_seq_cst);
      if (inject.size() > 0) saw_work = 1;
    }
  }

  void after() { check(saw_sleeper == 1 || saw_work == 1, "both missed each other"); }
};

}  // namespace

int main() {
  return model::run(
      {
          model::full<one_producer_one_taker>("one producer, one taker"),
          model::full<no_lost_wake>("push against announce-and-look"),
          model::bounded<producers_and_taker>(3, "a batch, a single task and a taker"),
      },
      "queue/inject_queue.hpp");
}
