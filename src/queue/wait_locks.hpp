#pragma once
#include <cstdint>

#include "base/spin_lock.hpp"

// The locks of the queues in which fibers and threads wait for synchronisation objects.
//
// They do not lie in the objects, because an object may be gone while somebody still has to look
// whether it is queued there: one whose wait has timed out just as the last waiter was notified,
// after which the object may be destroyed. Whoever finds itself unlinked under the lock touches the
// object no more. So these live for ever; objects share them by a hash of their address.
namespace weft::detail {
// The lock of the queue of `object`. At most one is held at a time, but for
// queue_lock_pair, and all of them around a fork().
spin_lock& queue_lock(const void* object) noexcept;

// Around a fork, by the thread that forks. The queues are copied with all locks held, so that a
// child does not find one that another thread was just linking a node into. The child frees the
// locks as its own.
void queue_locks_forking() noexcept;
void queue_locks_forked_parent() noexcept;
void queue_locks_forked_child() noexcept;
// How many forks lie between this process and the one that began.
std::uint32_t process_copy() noexcept;

// Holds the locks of two objects, which may be the same one.
class queue_lock_pair {
 public:
  queue_lock_pair(const void* one, const void* other) noexcept;
  ~queue_lock_pair();
  queue_lock_pair(const queue_lock_pair&) = delete;
  queue_lock_pair& operator=(const queue_lock_pair&) = delete;

 private:
  spin_lock* first_;
  spin_lock* second_;  // null: the same one
};
}  // namespace weft::detail
