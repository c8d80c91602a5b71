#pragma once
#include <cstddef>
#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"

namespace weft::detail {
// System calls that the library itself makes, by kind. Counted where they are made; a carrier
// counts in its own line, every other thread in a shared one.
enum class sys : std::uint8_t {
  epoll_wait,
  epoll_ctl,
  eventfd_write,
  futex_wait,
  futex_wake,
  read,
  write,
  accept,
  connect,
  poll,
  close,
  other,
  count_
};
inline constexpr std::size_t sys_kinds = static_cast<std::size_t>(sys::count_);

struct alignas(cache_line) sys_counts {
  atomic<std::uint64_t> by_kind[sys_kinds] = {};
};

// Any thread. Out of line: it reads the thread's header.
void count_syscall(sys kind) noexcept;
sys_counts& shared_sys_counts() noexcept;
}  // namespace weft::detail
