#pragma once
#include <weft/detail/sync_storage.hpp>

#include <type_traits>

namespace weft::detail {
// The library's type behind a public object's words. All zero must be one of its valid states.
template <class Core, std::size_t Words>
[[gnu::always_inline]] inline Core& core_of(sync_storage<Words>& storage) noexcept {
  static_assert(sizeof(Core) == sizeof(storage.words) && alignof(Core) <= alignof(std::uint64_t));
  static_assert(std::is_trivially_destructible_v<Core>);
  void* at = storage.words;
  // The words were initialised as integers. With the caller's code in sight (LTO), a compiler might
  // think that they are none of the Core's members; it cannot see through this, which is nothing.
  asm volatile("" : "+r"(at) : : "memory");
  return *static_cast<Core*>(at);
}
}  // namespace weft::detail
