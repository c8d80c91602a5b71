#pragma once
#include "sync/self.hpp"

namespace weft::detail {
// Who holds the lock that a fiber was seen to wait for: the object whose first word is that of a
// mutex_core, shared_core or once_core. It may be gone by now; the caller checks afterwards that
// the fiber still waits. Signal-safe. 0: nobody, or readers, or it could not be read.
owner_id owner_of_lock(const void* lock) noexcept;
// The kernel has refused the short way: each is several system calls from now on.
bool owners_take_long() noexcept;
}  // namespace weft::detail
