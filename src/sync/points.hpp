#pragma once
#include "sched/explorer.hpp"

namespace weft::detail {
// Every operation on a lock begins with this: in an explored run others may go first. The header of
// the calling thread, which is looked up anyway for whose lock it is.
inline const thread_header* lock_point() noexcept {
  const thread_header* const header = current();
  if (!header->exploring) [[likely]]
    return header;
  explore_point(point_kind::lock);
  return current();
}
// The same before what may wake others.
inline void notify_point() noexcept {
  if (current()->exploring) [[unlikely]]
    explore_point(point_kind::notify);
}
}  // namespace weft::detail
