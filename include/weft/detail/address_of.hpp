#pragma once
#include <memory>
#include <type_traits>

namespace weft::detail {
// For what passes the library as an address: of an object of any qualification, or of a function.
template <class T>
void* address_of(T& that) noexcept {
  if constexpr (std::is_function_v<T>) {
    return reinterpret_cast<void*>(&that);
  } else {
    return const_cast<void*>(static_cast<const volatile void*>(std::addressof(that)));
  }
}
}  // namespace weft::detail
