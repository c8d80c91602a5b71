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

// The short ways of a mutex whose first word this is: free and wanted by nobody else, or the
// caller's and wanted by nobody else. False: anything else, and nothing has happened.
[[nodiscard]] bool own_word(std::uint64_t* first) noexcept;
[[nodiscard]] bool disown_word(std::uint64_t* first) noexcept;
}  // namespace weft::detail
