#pragma once
#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"

namespace weft::detail {
// One writer each (the owner of the processor, or the monitor), any reader: bump(), no locked add.
struct alignas(cache_line) counters {
  atomic<std::uint64_t> switches{0};
  atomic<std::uint64_t> spawned{0};
  atomic<std::uint64_t> finished{0};
  atomic<std::uint64_t> steals{0};
  atomic<std::uint64_t> wakes{0};  // kernel threads woken by this processor
  atomic<std::uint64_t> looks{0};  // times it looked at readiness without blocking
  atomic<std::uint64_t> blocking_calls{0};
  atomic<std::uint64_t> fruitless_searches{0};
};
}  // namespace weft::detail
