#pragma once
#include <cstdint>

#include "base/atomic.hpp"
#include "base/clock.hpp"

namespace weft::detail {
// Sleeps while *word == expected, until `deadline` at the latest. May return early for no reason.
// False: the deadline passed. Kernel threads only: a fiber that called it would block its thread.
bool futex_wait(const void* word, std::uint32_t expected, nanos deadline = never) noexcept;
// Wakes up to `count` sleepers. The word need not be mapped any more by the time this is called as
// far as correctness goes, but ours are type-stable and always are.
void futex_wake(const void* word, int count) noexcept;
}  // namespace weft::detail
