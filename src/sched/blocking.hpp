#pragma once
#include "fiber/control_block.hpp"

// A fiber that blocks its kernel thread (D13). Between enter and leave the thread counts as a plain
// one: what the callee does with weft's primitives, it does as a kernel thread.
namespace weft::detail {
class blocking_section {
 public:
  // Parks first if as many callers are inside as runtime_options::max_blocking allows.
  blocking_section() noexcept;
  // Back with a processor: its own, an idle one, or after a park behind others. The thread may have
  // changed by then.
  ~blocking_section();
  blocking_section(const blocking_section&) = delete;
  blocking_section& operator=(const blocking_section&) = delete;

 private:
  control_block* me_ = nullptr;  // null: called on a plain thread
  processor* p_ = nullptr;
  std::uint64_t state_ = 0;  // the processor's word as this call left it
};
}  // namespace weft::detail
