#pragma once
#include <cstddef>
#include <cstdint>

namespace weft::detail {
// The words of a synchronisation object, whose type is the library's own: public headers name
// neither atomics nor queues. All zero is the initial state of each, but for the first word of
// some, so that objects are constant-initialised.
template <std::size_t Words>
struct sync_storage {
  constexpr sync_storage() noexcept = default;
  constexpr explicit sync_storage(std::uint64_t first) noexcept : words{first} {}
  sync_storage(const sync_storage&) = delete;
  sync_storage& operator=(const sync_storage&) = delete;

  std::uint64_t words[Words] = {};
};
}  // namespace weft::detail
