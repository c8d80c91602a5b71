#pragma once
#include "base/atomic.hpp"

// A store-load fence that is free on the side that runs often and dear on the side that runs
// rarely: light_fence() keeps the compiler from reordering, heavy_fence() makes every running
// thread of the process pass through a full fence (membarrier, about 8 us when another CPU is
// busy). For every pair {store a; light_fence(); load b} and {store b; heavy_fence(); load a}, one
// of the two sees the other. Where the kernel has no membarrier both are seq_cst fences; in a model
// they always are.
namespace weft::detail {
#ifdef WEFT_MODEL
inline void light_fence() noexcept {
  fence(std::memory_order_seq_cst);
}
inline void heavy_fence() noexcept {
  fence(std::memory_order_seq_cst);
}
#else
namespace asymmetric {
// Set once by prepare_asymmetric_fence(), before the first fiber.
extern bool has_membarrier;
}  // namespace asymmetric

void prepare_asymmetric_fence() noexcept;

inline void light_fence() noexcept {
  if (asymmetric::has_membarrier) [[likely]] {
    compiler_fence();
  } else {
    fence(std::memory_order_seq_cst);
  }
}
void heavy_fence() noexcept;
#endif
}  // namespace weft::detail
