#include "base/asymmetric_fence.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weft::detail {
bool asymmetric::has_membarrier = false;

void prepare_asymmetric_fence() noexcept {
  static const bool registered =
      ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
      (asymmetric::has_membarrier = true);
  static_cast<void>(registered);
}

void heavy_fence() noexcept {
  // Pairs with light_fence(); the membarrier below carries it to the other threads.
  fence(std::memory_order_seq_cst);
  if (asymmetric::has_membarrier) {
    ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  }
}
}  // namespace weft::detail
