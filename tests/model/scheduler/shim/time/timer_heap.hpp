// The production heap, with memory of malloc: what comes from operator new is the checker's, which
// would try each release of it in two ways.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <vector>

namespace weft::detail {
template <class T>
struct by_malloc {
  using value_type = T;
  by_malloc() noexcept = default;
  template <class U>
  by_malloc(const by_malloc<U>&) noexcept {}
  T* allocate(std::size_t n) { return static_cast<T*>(std::malloc(n * sizeof(T))); }
  void deallocate(T* at, std::size_t) noexcept { std::free(at); }
  bool operator==(const by_malloc&) const noexcept { return true; }
};
}  // namespace weft::detail
namespace std {
template <class T>
using vector_by_malloc = vector<T, weft::detail::by_malloc<T>>;
}

#define vector vector_by_malloc
#include_next "time/timer_heap.hpp"
#undef vector
