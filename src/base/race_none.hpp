// The hooks for ThreadSanitizer in other builds: empty. Included by base/sanitizer_*.hpp.
#pragma once
#include <cstddef>

namespace weft::detail {
inline constexpr bool thread_sanitizer = false;
inline constexpr bool watches_scheduler = false;

// What ThreadSanitizer knows of one fiber; a member of its control block.
class race_clock {
 public:
  // The spawner, when the fiber is certain to run: what it has done comes before the fiber.
  void begin() noexcept {}
  void name(unsigned long long /*id*/, const char*) noexcept {}
};

// An edge that weft promises its users: what happened before order_release(p) comes before what
// happens after an order_acquire(p) that follows it. Each names its partner.
inline void order_release(const void*) noexcept {}
inline void order_acquire(const void*) noexcept {}
inline void order_acquire_if(bool /*seen*/, const void*) noexcept {}
// What has been released there is forgotten: the memory changes hands.
inline void order_forget(const void*) noexcept {}

// The memory of a stack is given to another fiber. Nobody is on it.
inline void forget_accesses(std::byte* /*low*/, std::byte* /*high*/) noexcept {}

// While one lives, what the library does is not held against the fiber whose clock it runs on:
// memory and descriptors that pass from fiber to fiber under a lock that ThreadSanitizer is not
// told of, or for another fiber after a switch.
struct unwatched {
  unwatched() noexcept {}
};

// Where a fiber's closure lies: in its block.
inline void* closure_memory(std::byte* inside) noexcept {
  return inside;
}
inline void* closure_of(std::byte* inside) noexcept {
  return inside;
}
inline void drop_closure(std::byte*) noexcept {}
}  // namespace weft::detail
