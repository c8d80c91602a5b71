#include "base/stack_memory.hpp"

#ifdef WEFT_VALGRIND
#include <valgrind/memcheck.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0u
#define VALGRIND_MAKE_MEM_UNDEFINED(low, size) static_cast<void>(low)
#endif

// Null in a process without LeakSanitizer.
extern "C" [[gnu::weak]] void __lsan_register_root_region(const void* begin, std::size_t size);

namespace weft::detail {
void announce_stack_memory(std::byte* low, std::byte* high) noexcept {
  // Stacks are not unmapped, so they keep their number for ever.
  [[maybe_unused]] const unsigned number = VALGRIND_STACK_REGISTER(low, high);
  if (__lsan_register_root_region) {
    __lsan_register_root_region(low, static_cast<std::size_t>(high - low));
  }
}

void revive_stack_memory(std::byte* low, std::byte* high) noexcept {
  VALGRIND_MAKE_MEM_UNDEFINED(low, static_cast<std::size_t>(high - low));
}
}  // namespace weft::detail
