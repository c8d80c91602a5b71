// The models of a ring that grows under the eyes of thieves; run by local_ring.cpp.
#pragma once

#include "ring_world.hpp"

namespace {

// The owner fills a ring of 2 that begins at index `Turn`, pushes on past the limit of its buffer
// and pops, while thieves steal from whichever buffer they find.
template <std::uint32_t Most, int Turn, int Before, int Pushes, int Pops, int Thieves>
struct growth : model::test<growth<Most, Turn, Before, Pushes, Pops, Thieves>, 1 + Thieves> {
  growing<2, Most> ring;
  growing<2, Most> mine[Thieves];
  account<std::size_t{Before + Pushes}> all;
  task turned;
  int made = 0;

  void before() {
    for (int i = 0; i < Turn; ++i) check(ring.push(&turned) && ring.pop() == &turned, "one turn");
    for (int i = 0; i < Before; ++i) check(ring.push(all.make(made++)), "no room at the start");
  }

  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 0; i < Pushes; ++i) {
        check(push_growing(ring, all.make(made++)), "it did not grow");
      }
      int last = -1;
      for (int i = 0; i < Pops; ++i) {
        if (task* t = ring.pop()) {
          const int id = all.take(t);
          check(id > last, "out of order");
          last = id;
        }
      }
    } else if (task* t = ring.steal_into(mine[index - 1])) {
      all.take(t);
    }
  }

  void after() {
    for (auto& ring : mine) all.drain(ring);
    all.drain(ring);
    all.all_taken(made);
  }
};

// A thief's own ring grows after the theft, while another robs it.
struct growth_of_the_thiefs : model::test<growth_of_the_thiefs, 2> {
  growing<2, 4> ring;
  growing<2, 4> mine;
  growing<2, 4> robbers;
  account<6> all;

  void before() {
    mine.push(all.make(0));
    for (int i = 1; i < 5; ++i) push_growing(ring, all.make(i));
  }

  void thread(unsigned index) {
    if (index == 0) {
      if (task* t = ring.steal_into(mine)) all.take(t);
      check(push_growing(mine, all.make(5)), "it did not grow");
    } else if (task* t = mine.steal_into(robbers)) {
      all.take(t);
    }
  }

  void after() {
    all.drain(ring);
    int taken = 0;  // the order in `mine` is not that of the ids
    while (task* t = mine.pop()) taken += all.take(t) >= 0;
    check(taken <= 3, "more tasks than there ever were");
    all.drain(robbers);
    all.all_taken(6);
  }
};

}  // namespace
