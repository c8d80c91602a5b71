#include "stack/stack.hpp"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "base/fatal.hpp"

namespace weft::detail {
namespace {
// A signal may arrive while a fiber runs on its own stack: the frame that the kernel writes (3.3
// KiB with AVX-512, 11 KiB with AMX) has to fit beside the fiber's own frames.
std::size_t least_stack() noexcept {
  const long frame = ::sysconf(_SC_MINSIGSTKSZ);
  const std::size_t needed = static_cast<std::size_t>(std::max(frame, 2048L)) + 12 * 1024;
  return std::max(smallest_stack, needed);
}
}  // namespace

stack_class stack_class_for(std::size_t bytes) {
  constexpr std::size_t largest = stack_class_bytes(stack_classes - 1);
  if (bytes == 0 || bytes > largest) {
    throw_system(
        EINVAL,
        "a stack of %zu bytes is outside 1 to %zu bytes (64 MiB); set fiber_options::"
        "stack_size or runtime_options::stack_size to a size in this range (it is rounded up "
        "to a power of two, at least %zu)",
        bytes, largest, std::bit_ceil(least_stack()));
  }
  const std::size_t size = std::bit_ceil(std::max(bytes, least_stack()));
  return static_cast<stack_class>(std::countr_zero(size) - std::countr_zero(smallest_stack));
}
}  // namespace weft::detail
