#pragma once
#include <cstdint>

#include "base/atomic.hpp"
#include "base/current.hpp"
#include "base/sanitizer.hpp"

// The first word of a lock that knows its owner: 0 while it is free and nobody waits, the owner's
// id while it is held and nobody waits. Bit 0 is left for the lock, see sync/mutex_core.hpp.
namespace weft::detail {
// Who owns a lock, in one word: the fiber's block, or the thread's header with a mark.
using owner_id = std::uintptr_t;
inline constexpr owner_id thread_mark = 2;
static_assert(alignof(thread_header) >= 4);

inline owner_id self_of(const thread_header* header) noexcept {
  return header->fiber ? reinterpret_cast<owner_id>(header->fiber)
                       : reinterpret_cast<owner_id>(header) | thread_mark;
}

// The short ways. False: nothing has happened, and `seen` is what the word was.
inline bool take_free(atomic<owner_id>& word, owner_id me, owner_id& seen) noexcept {
  seen = 0;
  // acquire: pairs with the release of the owner before.
  if (!word.compare_exchange_strong(seen, me, std::memory_order_acquire, std::memory_order_relaxed))
    return false;
  order_acquire(&word);  // pairs with leave_free
  return true;
}
inline bool leave_free(atomic<owner_id>& word, owner_id me, owner_id& seen) noexcept {
  order_release(&word);  // pairs with take_free
  seen = me;
  // release: pairs with the acquire of the next owner.
  return word.compare_exchange_strong(seen, 0, std::memory_order_release,
                                      std::memory_order_relaxed);
}
}  // namespace weft::detail
