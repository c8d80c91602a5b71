// The local ring: every task is taken exactly once, whoever takes it, in the order it was pushed;
// and what a task holds is seen by whoever runs it.
//
// Capacity 4 and 2 instead of 256, so that a handful of operations fills the ring, laps it and
// makes it grow.
#include "queue/local_ring.hpp"
#include "model.hpp"
#include "ring_growth.hpp"
#include "ring_world.hpp"

namespace {

// The owner pushes and pops while a thief steals once; the ring starts near the end of a lap, so
// that slots are used again under the thief's eyes.
template <std::uint32_t Capacity, int Before, int Pushes, int Pops>
struct owner_and_thief : model::test<owner_and_thief<Capacity, Before, Pushes, Pops>, 2> {
  fixed<Capacity> ring;
  fixed<Capacity> thiefs;
  account<std::size_t{Before + Pushes}> all;
  int made = 0;

  void before() {
    for (int i = 0; i < Before; ++i) {
      check(ring.push(all.make(made++)), "no room at the start");
    }
  }

  void thread(unsigned index) {
    if (index == 0) {
      int last = -1;
      for (int i = 0; i < Pushes || i < Pops; ++i) {
        if (i < Pops) {
          if (task* t = ring.pop()) {
            const int id = all.take(t);
            check(id > last, "out of order");
            last = id;
          }
        }
        if (i < Pushes && ring.push(all.make(made))) ++made;
      }
    } else {
      if (task* t = ring.steal_into(thiefs)) all.take(t);
    }
  }

  void after() {
    all.drain(thiefs);
    all.drain(ring);
    all.all_taken(made);
  }
};

// Two thieves at one victim. The second steals from the first as well: tasks go through two rings.
struct two_thieves : model::test<two_thieves, 3> {
  fixed<4> ring;
  fixed<4> first;
  fixed<4> second;
  account<5> all;
  int made = 0;

  void before() {
    for (int i = 0; i < 4; ++i) ring.push(all.make(made++));
  }

  void thread(unsigned index) {
    if (index == 0) {
      if (task* t = ring.pop()) all.take(t);
      if (ring.push(all.make(made))) ++made;
    } else if (index == 1) {
      if (task* t = ring.steal_into(first)) all.take(t);
    } else {
      if (task* t = first.steal_into(second)) all.take(t);
      if (task* t = ring.steal_into(second)) all.take(t);
    }
  }

  void after() {
    all.drain(ring);
    all.drain(first);
    all.drain(second);
    all.all_taken(made);
  }
};

// A full ring spills its older half while a thief makes room: one of the two gets each task, and
// the push that follows finds room either way.
struct spill : model::test<spill, 2> {
  fixed<2> ring;
  fixed<2> thiefs;
  account<3> all;

  void before() {
    for (int i = 0; i < 2; ++i) ring.push(all.make(i));
  }

  void thread(unsigned index) {
    if (index == 0) {
      task* const newest = all.make(2);
      if (ring.push(newest)) return;
      task* out[1];
      if (ring.pop_batch(out) == 1) all.take(out[0]);
      check(ring.push(newest), "no room after making room");
    } else if (task* t = ring.steal_into(thiefs)) {
      all.take(t);
    }
  }

  void after() {
    all.drain(ring);
    all.drain(thiefs);
    all.all_taken(3);
  }
};

// Proof (2) of the header: what a thief did before its exchange, its copying included, happens
// before the owner uses the room. Relacy never lets a load run late, so the copying itself cannot
// be seen to come too late; a plain write in the same place can.
struct push_after_theft : model::test<push_after_theft, 2> {
  fixed<2> ring;
  fixed<2> thiefs;
  account<3> all;
  checked<int> copying;

  void before() {
    for (int i = 0; i < 2; ++i) ring.push(all.make(i));
  }

  void thread(unsigned index) {
    if (index == 0) {
      if (ring.push(all.make(2))) check(copying.get() == 1, "room before the thief was done");
    } else {
      copying.set(1);
      ring.steal_into(thiefs);
    }
  }
};

// The same for a thief that fills its own ring while another robs it.
struct steal_after_theft : model::test<steal_after_theft, 2> {
  fixed<4> ring;
  fixed<4> mine;
  fixed<4> robbers;
  account<8> all;
  checked<int> copying;

  void before() {
    for (int i = 0; i < 4; ++i) mine.push(all.make(i));
    for (int i = 4; i < 8; ++i) ring.push(all.make(i));
  }

  void thread(unsigned index) {
    if (index == 0) {
      check(ring.steal_into(mine) == &all.tasks[4], "the oldest comes first");
      bool had_room = false;
      while (task* t = mine.pop()) had_room = had_room || t->payload.get() > 4;
      if (had_room) check(copying.get() == 1, "room before the robber was done");
    } else {
      copying.set(1);
      mine.steal_into(robbers);
    }
  }
};

// Proof (3): the thief may see the head that a pop has left and a tail from before the push.
struct taken_before_it_is_seen : model::test<taken_before_it_is_seen, 2> {
  fixed<2> ring;
  fixed<2> thiefs;
  account<1> all;

  void thread(unsigned index) {
    if (index == 0) {
      ring.push(all.make(0));
      if (task* t = ring.pop()) all.take(t);
    } else if (task* t = ring.steal_into(thiefs)) {
      all.take(t);
    }
  }

  void after() {
    check(ring.size() == 0 && thiefs.size() == 0, "a task out of nothing");
    all.all_taken(1);
  }
};

struct size_is_sane : model::test<size_is_sane, 2> {
  fixed<4> ring;
  account<1> all;

  void thread(unsigned index) {
    if (index == 0) {
      ring.push(all.make(0));
      ring.pop();
    } else {
      check(ring.size() <= 1, "more tasks than there ever were");
    }
  }
};

}  // namespace

int main() {
  return model::run(
      {
          model::full<owner_and_thief<2, 2, 1, 1>>("one push, one pop, one steal, ring of 2"),
          model::full<owner_and_thief<4, 1, 1, 1>>("one push, one pop, one steal, ring of 4"),
          model::full<spill>("spilling a full ring"),
          model::full<push_after_theft>("the owner uses room that a thief made"),
          model::bounded<steal_after_theft>(2, "a thief uses room that another thief made"),
          model::full<taken_before_it_is_seen>("a head seen before its tail"),
          model::full<size_is_sane>("size while the ring is pushed and popped"),
          model::bounded<growth<4, 0, 2, 1, 1, 1>>(5, "growth from 2 to 4, one steal"),
          model::bounded<growth<4, 1, 2, 1, 1, 1>>(4, "growth across the seam, one steal"),
          model::bounded<growth<8, 1, 2, 3, 2, 1>>(3, "growth from 2 to 8, one steal"),
          model::bounded<growth<4, 1, 2, 2, 2, 2>>(2, "growth from 2 to 4, two thieves"),
          model::bounded<growth_of_the_thiefs>(3, "a thief's ring grows while another robs it"),
          model::bounded<owner_and_thief<2, 2, 4, 4>>(3, "four of each lap a ring of 2"),
          model::bounded<two_thieves>(3, "two thieves, one of which robs the other"),
      },
      "queue/local_ring.hpp");
}
