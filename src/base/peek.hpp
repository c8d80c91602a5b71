#pragma once
#include <type_traits>

namespace weft::detail {
// Reads what its owner may be writing at this moment, for reports: the value may be old, torn it is
// not. Whoever draws a conclusion from it validates it afterwards. Sanitizers are not told: it
// reads other stacks, where they see neither an order nor a variable's bounds.
template <class T>
[[gnu::no_sanitize_address, gnu::no_sanitize_thread]] inline T peek(const T& at) noexcept {
  static_assert(std::is_scalar_v<T> && sizeof(T) <= sizeof(void*));
  return *const_cast<const volatile T*>(&at);
}
}  // namespace weft::detail
