#pragma once
#include "stack/arena.hpp"

namespace weft::test {
// `wanted`, or a fifth of it where so many stacks cannot be guarded: before Linux 6.13, and under
// qemu, each guard is a mapping, and vm.max_map_count limits those.
inline std::size_t fibers_at_once(std::size_t wanted) {
  detail::stack_arena& arena = detail::stack_arena::instance();
  if (!arena.acquire_permits(wanted)) return wanted / 5;
  arena.release_permits(wanted);
  return wanted;
}
}  // namespace weft::test
