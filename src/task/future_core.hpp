#pragma once
#include <weft/detail/ready_hook.hpp>

#include "base/atomic.hpp"
#include "park/wait_list.hpp"
#include "time/timed_park.hpp"

// The shared state of a future, as far as it does not depend on the type of the result.
//
// `ready` is set under the queue's lock, and waiters and hooks are linked under it after a look; so
// none is left behind. Setting it is the last touch of the state by whoever makes it ready, for who
// sees it may destroy the state at once: the waiters and hooks are on lists of his own by then.
namespace weft::detail {
class future_core {
 public:
  // The first of the words that it consists of, all others of which are zero.
  static constexpr std::uint64_t first_word(bool is_deferred) noexcept {
    return is_deferred ? deferred : 0;
  }

  // -- references
  void retain() noexcept;
  // True: that was the last one, and what the others did with the state is visible.
  bool release() noexcept;

  // -- who waits
  // False: the future had been had before.
  bool retrieve() noexcept;
  bool is_ready() const noexcept;
  // A cancellation point's wait, behind the look on entry.
  wait_end wait_slow(nanos deadline);
  // Ended by nothing but that, or a stop requested of the fiber: for those who pass it on. They
  // look whether it is ready afterwards.
  wait_end wait_until_stopped();
  // The queue's lock is held. False: it is ready, and the node was not linked.
  bool enqueue_locked(waiter& node) noexcept;
  // False: it is ready, and the hook is the caller's to run.
  bool add_hook(ready_hook& hook) noexcept;

  // -- who makes it ready
  bool is_deferred() const noexcept;
  // True for one caller at most: he runs it.
  bool claim_deferred() noexcept;
  // True for one caller until abort_set(): he stores the result.
  bool begin_set() noexcept;
  void abort_set() noexcept;
  void end_set() noexcept;

  void end() noexcept;

 private:
  static constexpr std::uint64_t ready = 1;
  static constexpr std::uint64_t satisfied = 2;  // somebody has the right to make it ready
  static constexpr std::uint64_t retrieved = 4;
  static constexpr std::uint64_t deferred = 8;  // a function is to be run by who waits first

  atomic<std::uint64_t> flags_{0};
  atomic<std::uint64_t> more_references_{0};  // beyond the first
  wait_list queue_;
  ready_hook* hooks_ = nullptr;  // guarded by the queue's lock
};
}  // namespace weft::detail
