#pragma once
#include <cstddef>

#include "base/atomic.hpp"
#include "park/wait_list.hpp"
#include "time/timed_park.hpp"

// Phases, each of which ends when all that are expected have arrived.
//
// All but the phase's number is guarded by the queue's lock. Who arrives last runs the completion
// with the lock released, when `missing_` is 0 and nobody may arrive; then next_phase() takes the
// waiters to a list of its own and moves the number on, which is its last touch: who sees the next
// phase may destroy the barrier.
namespace weft::detail {
class barrier_core {
 public:
  explicit barrier_core(std::uint64_t expected) noexcept
      : missing_(expected), expected_(expected) {}

  enum class arrival { waits, last, too_many };
  // `drop`: one less is expected from the next phase on.
  arrival arrive(std::uint64_t number, bool drop, std::uint64_t& phase) noexcept;
  void next_phase() noexcept;
  bool has_ended(std::uint64_t phase) const noexcept;
  // A cancellation point's wait, behind the look on entry.
  wait_end wait_slow(std::uint64_t phase, nanos deadline);
  void end(const char* what) noexcept;

 private:
  bool enqueue_locked(waiter&, std::uint64_t phase) noexcept;

  atomic<std::uint64_t> phase_{0};
  std::uint64_t missing_;
  std::uint64_t expected_;
  wait_list queue_;
};
}  // namespace weft::detail
