#pragma once
// The word that decides how a wait ends: {epoch, flags, reason, state} in 64 bits.
//
//   bits 8..63 epoch   advances at every wait and whenever the block is reused; 2^56 never wraps
//   bit  5             cancellable: a stop request may end this wait
//   bits 2..4  reason  who won, valid in `claimed`
//   bits 0..1  state
//
//   running --begin (owner, off its stack)--> parked --claim (any thread)--> claimed
//      ^------------------------- finish (owner, resumed) ----------------------|
//
// A waiter hands out tokens {block, epoch} for the wait to come, then parks: the word becomes
// `parked` only in the function that runs after the switch, when nobody is on the fiber's stack any
// more. What makes the tokens reachable (unlocking a queue, arming a timer) comes after that store.
// So whoever finds `parked` may resume the fiber at once, and an early wake-up cannot exist.
//
// Whoever moves {epoch, parked} to {epoch, claimed} by compare-and-swap, and nobody else, makes the
// fiber ready: exactly one of wake, timeout and cancel wins. A late one finds another epoch or
// `claimed` and goes away. The block is type-stable, so it may look at any time.
#include <cstdint>

#include "base/atomic.hpp"
#include "base/sanitizer.hpp"

namespace weft::detail {
enum class wake_reason : std::uint8_t { none, wake, timeout, cancel, closed };

class wait_word {
 public:
  using epoch_type = std::uint64_t;

  // Owner: the epoch that the next begin() will use, for tokens made before the park.
  epoch_type next_epoch() const noexcept {
    return (word_.load(std::memory_order_relaxed) >> epoch_shift) + 1;
  }

  // Owner's after function: the wait is open from here on.
  // release: what the fiber wrote before it parked (its saved registers, wait nodes) is seen by the
  // thread that resumes it; pairs with the acquire of the winning claim.
  void begin(bool cancellable) noexcept {
    const epoch_type epoch = next_epoch();
    word_.store(epoch << epoch_shift | (cancellable ? cancellable_bit : 0) | parked,
                std::memory_order_release);
  }

  // Any thread. True: the caller has won and must make the fiber ready.
  // acquire: pairs with begin(). release: what the waker wrote before is seen by the woken fiber,
  // through reason()'s acquire.
  bool claim(epoch_type epoch, wake_reason reason) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      if (seen >> epoch_shift != epoch || (seen & state_mask) != parked) return false;
      // Before the exchange: the woken one may run right after. A timer has nothing to tell it.
      if (reason != wake_reason::timeout) order_release(&word_);  // pairs with reason()
      const std::uint64_t wanted =
          epoch << epoch_shift | static_cast<std::uint64_t>(reason) << reason_shift | claimed;
      if (word_.compare_exchange_weak(seen, wanted, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
  }

  // Any thread: the epoch of a wait that a stop request may end now, 0 if there is none.
  // seq_cst: the canceller's half of the cancellation protocol, see park/cancel.cpp. Also an
  // acquire: pairs with begin(), for the publication mark.
  epoch_type cancellable_epoch() const noexcept {
    const std::uint64_t seen = word_.load(std::memory_order_seq_cst);
    const bool open = (seen & state_mask) == parked && (seen & cancellable_bit) != 0;
    return open ? seen >> epoch_shift : 0;
  }

  // Owner, resumed: how the wait ended.
  wake_reason reason() const noexcept {
    order_acquire(&word_);  // pairs with claim()
    // acquire: pairs with the release of the winning claim.
    return static_cast<wake_reason>(word_.load(std::memory_order_acquire) >> reason_shift & 7);
  }

  // Owner: the block changes hands (reuse). Tokens of its former life are void from here on.
  // release: pairs with value(): who finds the new epoch there finds the former life's number gone.
  void renew() noexcept {
    word_.store(next_epoch() << epoch_shift, std::memory_order_release);
    order_forget(&word_);
  }

  // Any thread: whether that wait is still undecided. For sweeping out stale timers.
  bool is_open(epoch_type epoch) const noexcept {
    const std::uint64_t seen = word_.load(std::memory_order_relaxed);
    return seen >> epoch_shift == epoch && (seen & state_mask) == parked;
  }
  // The epoch of the wait that is open or was last.
  epoch_type epoch() const noexcept { return word_.load(std::memory_order_relaxed) >> epoch_shift; }

  // Any thread, for dumps and statistics.
  bool is_parked() const noexcept {
    return (word_.load(std::memory_order_relaxed) & state_mask) == parked;
  }
  // Kernel threads sleep on the low half: it changes with every transition.
  const void* futex_address() const noexcept { return &word_; }
  std::uint32_t futex_value() const noexcept {
    // acquire: as in reason().
    return static_cast<std::uint32_t>(word_.load(std::memory_order_acquire));
  }
  // Any thread, for dumps: read before and after a look at a parked fiber, the same value says that
  // nobody has resumed it in between. acquire: pairs with begin(), its registers are saved; and
  // with renew().
  std::uint64_t value() const noexcept { return word_.load(std::memory_order_acquire); }
  static bool is_parked(std::uint32_t low) noexcept { return (low & state_mask) == parked; }

 private:
  static constexpr std::uint64_t state_mask = 3;
  static constexpr std::uint64_t parked = 1;
  static constexpr std::uint64_t claimed = 2;
  static constexpr int reason_shift = 2;
  static constexpr std::uint64_t cancellable_bit = 1 << 5;
  static constexpr int epoch_shift = 8;

  atomic<std::uint64_t> word_{0};
};
}  // namespace weft::detail
