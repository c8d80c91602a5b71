#include "sync/self.hpp"

#include <cstdio>

#include "fiber/extras.hpp"

namespace weft::detail {
owner_name::owner_name(owner_id id) noexcept {
  const control_block* const fiber = fiber_of(id);
  if (id == 0) {
    std::snprintf(text, sizeof text, "nobody");
  } else if (!fiber) {
    std::snprintf(text, sizeof text, id == self() ? "this kernel thread" : "a kernel thread");
  } else {
    char name[fiber_extras::name_size];
    copy_name(*fiber, name);
    std::snprintf(text, sizeof text, *name ? "fiber %llu \"%s\"" : "fiber %llu",
                  static_cast<unsigned long long>(fiber->serial.load(std::memory_order_relaxed)),
                  name);
  }
}
}  // namespace weft::detail
