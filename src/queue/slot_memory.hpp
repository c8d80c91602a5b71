// Where a ring that grows gets its slots.
#pragma once

#include <cstddef>

namespace weft::detail {

// From the kernel, not from the heap: a ring grows inside the functions that run after a switch,
// where the caller may be inside malloc. Both leave errno alone: there it is the next fiber's.
struct slot_memory {
  // `count` slots, all null, or nullptr when memory is refused. They are not constructed: to do so
  // would touch every page of them, and zero pages are what null slots look like.
  template <class Slot>
  static Slot* allocate(std::size_t count) noexcept {
    return static_cast<Slot*>(map(count * sizeof(Slot)));
  }
  template <class Slot>
  static void release(Slot* slots, std::size_t count) noexcept {
    unmap(slots, count * sizeof(Slot));
  }

 private:
  static void* map(std::size_t bytes) noexcept;
  static void unmap(void* at, std::size_t bytes) noexcept;
};

}  // namespace weft::detail
