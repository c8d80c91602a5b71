#pragma once
#include <cstddef>
#include <cstdint>

#include "stack/platform.hpp"

namespace weft::detail {
// Why there is no stack for one more fiber.
enum class shortage : std::uint8_t {
  none,
  fibers,     // as many fibers as weft allows at all
  map_count,  // the mprotect tier's share of vm.max_map_count is used up
  mapping,    // the kernel refused a chunk
  chunks,     // the table of chunks is full
  guarding,   // the kernel refused a guard that it should have granted
  pages,      // the kernel's pages are larger than page_size
  no_tier     // neither way to guard a stack has any effect here
};

struct stack_failure {
  shortage what = shortage::none;
  std::int32_t error = 0;  // errno of the refused call, 0 if no call was made
};

// std::system_error (ENOMEM): which limit, its value, and what to change. `limit` is the number of
// fibers that may exist at a time.
[[noreturn]] void throw_stack_failure(stack_failure, std::size_t limit, const platform&);
}  // namespace weft::detail
