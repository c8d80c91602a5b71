#include <weft/blocking.hpp>

#include <new>

#include "sched/blocking.hpp"

namespace weft::detail {
static_assert(sizeof(blocking_section) == sizeof(void* [3]));

blocking_scope::blocking_scope() noexcept {
  ::new (static_cast<void*>(section_)) blocking_section;
}
blocking_scope::~blocking_scope() {
  std::launder(reinterpret_cast<blocking_section*>(section_))->~blocking_section();
}
}  // namespace weft::detail
