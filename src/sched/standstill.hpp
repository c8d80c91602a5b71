#pragma once
#include <cstdint>

namespace weft::detail {
// Whether every fiber of the process waits for a stack, or for the end of one that does, directly
// or by way of others. Looked at now and again while the kernel refuses stacks: one look may be
// mistaken about fibers on their way, several in a row without a switch in between are not.
struct standstill {
  std::uint64_t switches;  // of the whole process so far
  bool complete;           // nobody who has begun does anything but wait for an end
};
// `waiting`: how many fibers wait for a stack. Slow: visits every fiber.
standstill look_for_standstill(std::uint32_t waiting) noexcept;
}  // namespace weft::detail
