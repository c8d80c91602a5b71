#pragma once
#include <weft/detail/future_state.hpp>

#include "base/atomic.hpp"
#include "park/wait_list.hpp"

// The shared state of a future, as far as it does not depend on the type of the result.
//
// `ready` is set under the queue's lock, and waiters link themselves under it after a look; so none
// is left behind. Setting it is the last touch of the state by whoever makes it ready: the
// waiters and hooks are on lists of his own by then.
namespace weft::detail {
struct future_core {
  static constexpr std::uint64_t ready = 1;
  static constexpr std::uint64_t satisfied = 2;  // somebody has the right to make it ready
  static constexpr std::uint64_t retrieved = 4;
  static constexpr std::uint64_t deferred = 8;  // a function is to be run by who waits first

  atomic<std::uint64_t> flags;
  atomic<std::uint64_t> more_references;  // beyond the first
  wait_list queue;
  ready_hook* hooks;  // guarded by the queue's lock

  // The queue's lock is held. False: it is ready, and the node was not linked.
  bool enqueue_locked(waiter& node) noexcept {
    if (flags.load(std::memory_order_relaxed) & ready) return false;
    queue.push_back(node);
    return true;
  }
  bool is_ready() const noexcept {
    // acquire: pairs with the release in end_set.
    const bool seen = flags.load(std::memory_order_acquire) & ready;
    order_acquire_if(seen, this);  // pairs with end_set
    return seen;
  }
};
}  // namespace weft::detail
