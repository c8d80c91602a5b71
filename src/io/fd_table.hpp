#pragma once
#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "base/intrusive_list.hpp"
#include "base/spin_lock.hpp"
#include "fiber/control_block.hpp"

// What weft knows about each descriptor. Process-wide and type-stable: an entry is found by number,
// never freed, and tagged with a generation that advances at every close, so that neither a late
// event nor a fiber that held the number before can touch its successor.
namespace weft::detail {
enum class direction : std::uint8_t { in, out };

// A fiber's or thread's wait for one direction of one descriptor. On the waiter's stack; linked and
// unlinked under the entry's lock, and unlinked before the frame dies. Whoever wakes copies the
// token under that lock and does not touch the node after it.
struct fd_waiter {
  wait_token token;
  fd_waiter* previous = nullptr;
  fd_waiter* next_waiter = nullptr;
  bool linked = false;
};

namespace fd_flag {
inline constexpr std::uint8_t own = 1;  // closed through io::close: registered once, edge-triggered
inline constexpr std::uint8_t stream = 2;    // a stream socket: a short read has drained it
inline constexpr std::uint8_t nonblock = 4;  // O_NONBLOCK is set, by us
}  // namespace fd_flag

struct fd_direction {
  intrusive_list<fd_waiter> waiters;  // guarded by the entry's lock
  // Edges seen so far. Written under the lock. Every caller reads it before its system call and
  // compares under the lock before it parks: an edge in between makes it try again. A count, not a
  // flag that one of two readers would consume for both.
  atomic<std::uint32_t> edges{1};
  // Readers: at this count of edges, a short read found the bottom; 0 never matches (edges start at
  // 1).
  atomic<std::uint32_t> drained_at{0};
};

struct alignas(cache_line) fd_entry {
  spin_lock lock;
  atomic<std::uint8_t> flags{0};        // fd_flag; written under the lock
  atomic<bool> no_skip{false};          // hang-up, error or urgent data seen: always try the call
  atomic<std::uint32_t> generation{1};  // written under the lock
  std::uint64_t registered = 0;         // id of the poller that has it last; under the lock
  fd_direction in;
  fd_direction out;

  fd_direction& side(direction d) noexcept { return d == direction::in ? in : out; }
  bool has(std::uint8_t flag) const noexcept {
    return (flags.load(std::memory_order_relaxed) & flag) != 0;
  }
};

// Any thread. Null: negative, or beyond what the table can hold (four million), or out of memory.
fd_entry* find_entry(int fd) noexcept;
// Why there is none, as errno has it.
int no_entry_error(int fd) noexcept;
// Any thread: weft has just made `fd`. Whatever was known about the number is forgotten. False: it
// has no entry.
bool adopt_new(int fd, std::uint8_t flags) noexcept;
}  // namespace weft::detail
