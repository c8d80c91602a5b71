// The scheduler's own source, compiled as it is: see scheduler/sources.hpp. One program, because it
// takes long to compile.
#include "scheduler/blocking.hpp"
#include "scheduler/permits.hpp"
#include "scheduler/pinned.hpp"
#include "scheduler/resting.hpp"
#include "scheduler/reuse.hpp"
#include "scheduler/stackless.hpp"
#include "scheduler/wakers.hpp"
#include "scheduler/watch.hpp"

int main() {
  using namespace sched_model;
  using ::model::bounded;
  using ::model::full;
  using ::model::sampled;
  return ::model::run(
      {
          full<takers<2>>("permits: two processors take and give"),
          sampled<takers<3>>(10000, "permits: three processors, one permit"),
          bounded<work_against_the_watch>(3, "watch: work against going there"),
          bounded<work_against_the_futex>(1, "watch: work against going to the futex"),
          sampled<work_against_the_futex>(10000, "watch: work against going to the futex"),
          bounded<timer_against_the_watch>(2, "watch: a timer against taking it"),
          sampled<timer_of_a_busy_one<false>>(3000, "watch: W, a processor computes"),
          sampled<timer_of_a_busy_one<true>>(3000, "watch: W, a processor computes, one watches"),
          sampled<watch_left_free>(5000, "watch: W, its holder computes"),
          bounded<both_must_run>(1, "idle: two processors, one finds work"),
          sampled<both_must_run>(10000, "idle: two processors, one finds work"),
          bounded<woken_at_a_spare<false>>(2, "pinned: home is a spare carrier"),
          bounded<woken_at_a_spare<true>>(2, "pinned: home is a spare carrier, others run"),
          sampled<call_against_the_monitor<false>>(10000, "blocking: no thread to be had"),
          bounded<call_against_the_monitor<true>>(1, "blocking: a spare carrier"),
          sampled<call_against_the_monitor<true>>(10000, "blocking: a spare carrier"),
          bounded<work_for_the_last_one<false>>(2, "resting: work for the last processor"),
          bounded<work_for_the_last_one<true>>(1, "resting: work for the last processor, a waker"),
          sampled<work_for_the_last_one<true>>(20000,
                                               "resting: work for the last processor, a waker"),
          sampled<call_comes_back>(10000, "resting: a call comes back"),
          sampled<idle_one_for_a_spare>(10000, "resting: an idle processor for a spare"),
          sampled<deadline_of_the_last_one>(10000, "resting: a deadline of the last processor"),
          sampled<freed_beside_it>(5000, "stackless: a stack is freed on another processor"),
          sampled<asked_from_outside<false>>(5000, "stackless: another runtime asks"),
          sampled<asked_from_outside<true>>(5000, "stackless: another runtime asks, late"),
          bounded<stop_alone>(3, "wakers: a stop request alone"),
          bounded<shielded>(3, "wakers: a stop request against a shielded wait"),
          sampled<three_end_a_wait>(10000, "wakers: wake, timeout, stop of a wait, and the next"),
          sampled<waker_of_the_last_fiber>(20000,
                                           "reuse: a foreign waker, and the core's next life"),
      },
      nullptr);  // orders: watch.cpp and idle.cpp, on smaller models
}
