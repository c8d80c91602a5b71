// Divide and conquer by task_group, as its documentation has it: one is spawned, one is called.
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include "fork_main.hpp"

namespace {
struct forks {
  template <class F, class G>
  static void both(F&& f, G&& g) {
    tbb::task_group group;
    group.run(g);
    f();
    group.wait();
  }
};
}  // namespace

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const auto workers = static_cast<int>(args.number("--workers", 1));
  const tbb::global_control most(tbb::global_control::max_allowed_parallelism,
                                 static_cast<std::size_t>(workers));
  tbb::task_arena arena(workers);
  bench::measure_forks<forks>(args, "tbb", [&](auto&& f) { arena.execute(f); });
}
