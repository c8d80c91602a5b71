#pragma once
#include <cstdint>

#include "base/current.hpp"

namespace weft::detail {
struct control_block;

// Who owns a lock, in one word: the fiber's block, or the thread's header with a mark. Bit 0 is
// left for the lock.
using owner_id = std::uintptr_t;
inline constexpr owner_id thread_mark = 2;
static_assert(alignof(thread_header) >= 4);

inline owner_id self_of(const thread_header* header) noexcept {
  return header->fiber ? reinterpret_cast<owner_id>(header->fiber)
                       : reinterpret_cast<owner_id>(header) | thread_mark;
}
inline owner_id self() noexcept {
  return self_of(current());
}
// Null: a kernel thread, or nobody.
inline const control_block* fiber_of(owner_id id) noexcept {
  return id & thread_mark ? nullptr : reinterpret_cast<const control_block*>(id);
}

// "fiber 7 "parser"", "kernel thread 4711", for the lines that end a process.
struct owner_name {
  explicit owner_name(owner_id) noexcept;
  char text[96];
};
}  // namespace weft::detail
