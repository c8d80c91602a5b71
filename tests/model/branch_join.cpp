// The end of a fork_join: its owner goes on when every branch that others run has settled, sees
// what they did, and nobody touches the frame afterwards. And who is to be stopped is. Over
// sched/branch_join.cpp and sched/branch_list.cpp as they are; the switch is replaced by a wait for
// whoever makes the fiber ready.
#include "model.hpp"

#include <new>

#define static_assert(...)  // sizes are the checker's
#define constinit

#include "sched/branch_join.cpp"
#include "sched/branch_list.cpp"

#include "fiber/extras.hpp"
#include "scheduler/branch_world.hpp"

namespace {

namespace model = ::model;  // and not weft::detail::model
using namespace weft::detail;
using model::check;

// Thread 0 is the owner's, the others run one branch each, when it has been offered. Two calls, one
// after the other, in the same frame: whoever touches it late meets the second.
template <int Branches, int Calls>
struct settle_and_wait : model::test<settle_and_wait<Branches, Calls>, Branches + 1>,
                         branch_world<Branches + 1> {
  static constexpr int all = Branches + 1;
  call_place<Branches> place;
  atomic<int> offered{0};
  model::checked<int> done[Branches];

  static void run_one(void* at) {
    auto& n = *static_cast<model::checked<int>*>(at);
    n = n + 1;
  }
  void before() {
    this->enter();
    for (int i = 0; i < Branches; ++i) done[i] = 0;
  }
  void thread(unsigned index) {
    if (index == 0) return own();
    for (int call = 1; call <= Calls; ++call) {
      while (offered.load(std::memory_order_acquire) < call) cpu_relax();
      branch* const b = &place.branches[index - 1];
      if (call == Calls || Branches > 1 || index == static_cast<unsigned>(call)) run(b);
    }
  }
  void run(branch* b) {
    void* closure = b;
    run_as_fiber(&closure);
  }
  void own() {
    for (int call = 1; call <= Calls; ++call) {
      place.open(this->fibers[0]);
      for (int i = 0; i < Branches; ++i) place.put(i, run_one, &done[i]);
      offered.store(call, std::memory_order_release);
      join_branches(place.frame, place.branches, Branches);
      for (int i = 0; i < Branches; ++i) check(done[i] == call, "went on too early");
      place.close();
    }
  }
  void after() {
    check(this->ready[0].load(std::memory_order_relaxed) <= Calls, "woken twice");
    check(this->core.branches.load(std::memory_order_relaxed) == 0, "one is listed still");
  }
};

// A branch waits, for ever if nobody stops it; its caller is asked to stop, or a sibling fails.
template <bool SiblingFails>
struct stopped_in_a_wait : model::test<stopped_in_a_wait<SiblingFails>, 2>, branch_world<2> {
  call_place<1> place;

  void before() {
    enter();
    place.open(fibers[0]);
  }
  void thread(unsigned index) {
    fork_state& f = state_of(place.frame);
    if (index == 1) {
      const listed_branch listed(f);
      check(park_fiber(wait_kind::sleep, nullptr, true, nullptr, nullptr) == wake_reason::cancel,
            "woken by nobody");
    } else if (SiblingFails) {
      check(stop(f), "nobody else");
      stop_others(f, fibers[0]);
    } else {
      fibers[0].cancel.fetch_or(cancel_bit::stop_requested, std::memory_order_seq_cst);
      stop_branches(core, nullptr);
    }
  }
  void after() { place.close(); }
};

// The owner waits in a branch that it runs itself, and another one fails. Afterwards nothing is
// left of it.
struct owner_in_a_wait : model::test<owner_in_a_wait, 2>, branch_world<2> {
  call_place<1> place;

  void before() {
    enter();
    place.open(fibers[0]);
    set_frame(fibers[0], &state_of(place.frame));
  }
  void thread(unsigned index) {
    fork_state& f = state_of(place.frame);
    if (index == 1) {
      check(stop(f), "nobody else");
      stop_others(f, fibers[1]);
      return settle(f);
    }
    check(park_fiber(wait_kind::sleep, nullptr, true, nullptr, nullptr) == wake_reason::cancel,
          "woken by nobody");
    wait_for(f, 1);
    weft::detail::close(f);
    check(!stop_requested(fibers[0]), "stopped for ever");
    place.close();
  }
};

// The owner closes a call that has failed, inside a branch of another one, which fails meanwhile:
// it takes back the bit of its own and keeps that of the outer one.
struct outer_one_fails : model::test<outer_one_fails, 2>, branch_world<2> {
  call_place<1> outer;
  call_place<1> inner;

  void before() {
    enter();
    outer.open(fibers[0]);
    inner.open(fibers[0]);
    fork_state& f = state_of(inner.frame);
    f.parent = &state_of(outer.frame);
    set_frame(fibers[0], &f);
    stop(f);
    stop_others(f, fibers[1]);
  }
  void thread(unsigned index) {
    if (index == 0) return weft::detail::close(state_of(inner.frame));
    fork_state& f = state_of(outer.frame);
    check(stop(f), "nobody else");
    stop_others(f, fibers[1]);
  }
  void after() {
    check(stop_requested(fibers[0]), "the outer one's failure is forgotten");
    outer.close();
    inner.close();
  }
};

const char* const newest =
    "the checker's sequentially consistent load of the frame sees the newest value anyway";

}  // namespace

int main() {
  using ::model::bounded;
  using ::model::operation;
  using ::model::sampled;
  return ::model::run(
      {
          bounded<settle_and_wait<1, 1>>(3, "one branch"),
          bounded<stopped_in_a_wait<false>>(3, "the caller is asked to stop, a branch waits"),
          bounded<stopped_in_a_wait<true>>(3, "a sibling fails, a branch waits"),
          bounded<owner_in_a_wait>(2, "a branch fails, its caller waits"),
          bounded<outer_one_fails>(4, "a call that has failed ends as an outer one fails"),
          bounded<settle_and_wait<1, 2>>(2, "one branch, twice in one frame"),
          bounded<settle_and_wait<2, 1>>(1, "two branches"),
          sampled<settle_and_wait<2, 2>>(200'000, "two branches, twice in one frame"),
      },
      "sched/branch_join.cpp sched/branch_list.cpp fiber/cancel_frame.hpp",
      {
          {"publish_wait", operation::read_modify_write, std::memory_order_acquire,
           "settle must not see an older wait of the owner's: not reached in so few preemptions"},
          {"publish_wait", operation::read_modify_write, std::memory_order_release,
           "the light fence behind it is a full one in a model"},
          {"set_bit", operation::read_modify_write, std::memory_order_relaxed, newest},
          {"close", operation::read_modify_write, std::memory_order_relaxed, newest},
      });
}
