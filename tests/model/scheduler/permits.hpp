// Stack permits: all that processors hold and have given to fibers never exceeds the limit, a
// permit is not lost, and while the limit leaves room for one nobody is refused. Over
// sched/permits.hpp as it is; the arena's compare-exchange loop is mirrored in
// shim/stack/arena.hpp.
#pragma once

#include "world.hpp"

#include "sched/permits.hpp"

namespace sched_model {
namespace {

template <int Threads>
struct takers : model::test<takers<Threads>, Threads>, world {
  int alive[4] = {};
  processor owned[Threads];  // thread k owns the k-th

  void before() {
    start(2);
    arena.limit = Threads == 2 ? 5 : 1;
    weft::detail::model::over = false;
  }
  void thread(unsigned index) {
    processor& mine = owned[index];
    int had = 0;
    for (int i = 0; i < (Threads == 2 ? 2 : 1); ++i) had += take_permit(mine) ? 1 : 0;
    check(arena.permits() <= arena.limit, "more permits than the limit");
    check(had <= static_cast<int>(arena.limit), "more fibers than the limit");
    for (int i = 0; i < had; ++i) put_permit(mine);
    if (mine.permits) arena.release_permits(mine.permits);  // as recycle_core does
    alive[index] = had;
  }
  void after() {
    check(arena.permits() == 0, "a permit is lost");
    int most = 0;
    for (const int had : alive) most = had > most ? had : most;
    check(most > 0, "all are refused, though there was room for one");
    weft::detail::model::over = true;
    end();
  }
};

}  // namespace
}  // namespace sched_model
