#pragma once
#include "base/owner_word.hpp"

namespace weft::detail {
struct control_block;

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
