// The production ring with two slots: it has a model of its own, local_ring.cpp, and here
// constructing 256 atomics for each interleaving would be most of the work.
#pragma once
#include <cstddef>

#define local_ring ring_of_any_size
#include_next "queue/local_ring.hpp"
#undef local_ring

namespace weft::detail {
struct no_memory {
  template <class Slot>
  static Slot* allocate(std::size_t) noexcept {
    return nullptr;
  }
  template <class Slot>
  static void release(Slot*, std::size_t) noexcept {}
};
template <class T>
using local_ring = ring_of_any_size<T, 2, 2, no_memory>;
}  // namespace weft::detail
