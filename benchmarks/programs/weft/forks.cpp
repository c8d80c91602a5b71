// Divide and conquer by fork_join.
#include <weft/fork_join.hpp>
#include <weft/runtime.hpp>

#include "fork_main.hpp"

namespace {
struct forks {
  template <class F, class G>
  static void both(F&& f, G&& g) {
    weft::fork_join(f, g);
  }
};
}  // namespace

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  weft::runtime runtime({.workers = static_cast<unsigned>(args.number("--workers", 1))});
  bench::measure_forks<forks>(args, "weft", [&](auto&& f) { runtime.run(f); });
}
