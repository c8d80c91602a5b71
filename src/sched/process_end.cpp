#include "sched/process_end.hpp"

#include <cstdlib>

#include "base/atomic.hpp"

namespace weft::detail {
namespace {
constinit atomic<bool> exiting{false};
}

bool is_exiting() noexcept {
  return exiting.load(std::memory_order_relaxed);
}

void note_exit() noexcept {
  // Without memory for it a static's destructor may complain of waiters: no reason to fail now.
  static const bool registered =
      std::atexit([] { exiting.store(true, std::memory_order_relaxed); }) == 0;
  static_cast<void>(registered);
}
}  // namespace weft::detail
