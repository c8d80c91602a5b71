#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <weft/detail/sync_storage.hpp>

namespace weft {
namespace detail {
class barrier_base {
 protected:
  constexpr explicit barrier_base(std::ptrdiff_t expected) noexcept {
    if (expected < 0) refuse(expected);
    state_.words[1] = state_.words[2] = static_cast<std::uint64_t>(expected);
  }
  ~barrier_base();
  // True: the last one, who runs the completion and then calls next_phase().
  bool arrive(std::ptrdiff_t update, bool drop, std::uint64_t& phase) noexcept;
  void next_phase() noexcept;
  void wait(std::uint64_t phase) const;

 private:
  [[noreturn]] static void refuse(std::ptrdiff_t expected) noexcept;
  mutable sync_storage<5> state_;
};

struct no_completion {
  void operator()() noexcept {}
};
}  // namespace detail

/// std::barrier [thread.barrier] for fibers and kernel threads, mixed. 40 bytes and the completion,
/// no allocation. wait and arrive_and_wait are cancellation points.
///
/// The completion is called by who arrives last in a phase, before the others are let go. It may
/// park. Who has been let go may destroy the barrier even if arrive() of the last one has not
/// returned yet.
/// @code
/// weft::barrier step(4, [&]() noexcept { ++generation; });
/// step.arrive_and_wait();
/// @endcode
template <class CompletionFunction = detail::no_completion>
class barrier : private detail::barrier_base {
  static_assert(std::is_nothrow_invocable_v<CompletionFunction&>,
                "weft::barrier: the completion function is called as f() and must be noexcept");

 public:
  /// A phase, for wait().
  class arrival_token {
   public:
    /// The other one may only be destroyed or assigned to.
    arrival_token(arrival_token&&) noexcept = default;
    /// The same.
    arrival_token& operator=(arrival_token&&) noexcept = default;

   private:
    friend class barrier;
    explicit arrival_token(std::uint64_t phase) noexcept : phase_(phase) {}
    std::uint64_t phase_;
  };

  /// The greatest number that may be expected.
  static constexpr std::ptrdiff_t max() noexcept {
    return std::numeric_limits<std::ptrdiff_t>::max();
  }
  /// `expected` arrivals end a phase. Aborts with a line when it is negative.
  constexpr explicit barrier(std::ptrdiff_t expected,
                             CompletionFunction completion = CompletionFunction())
      : barrier_base(expected), completion_(std::move(completion)) {}
  /// Nobody may wait for it.
  ~barrier() = default;
  barrier(const barrier&) = delete;
  barrier& operator=(const barrier&) = delete;

  /// Arrives `update` times. Aborts with a line when that is not positive, or more than are still
  /// expected in this phase. The last one calls the completion and wakes the others.
  [[nodiscard]] arrival_token arrive(std::ptrdiff_t update = 1) {
    return arrival_token(arrive_at(update, false));
  }
  /// Waits until the token's phase, this one or the one before it, has ended. A cancellation point.
  /// @throws operation_canceled, deadline_exceeded, as every cancellation point
  void wait(arrival_token&& arrived) const { barrier_base::wait(arrived.phase_); }
  /// wait(arrive()). A cancellation point: when it throws, the arrival stands all the same, so that
  /// the others do not wait in vain for who was cancelled.
  void arrive_and_wait() { barrier_base::wait(arrive_at(1, false)); }
  /// Arrives, and one less is expected in all phases to come.
  void arrive_and_drop() { arrive_at(1, true); }

 private:
  std::uint64_t arrive_at(std::ptrdiff_t update, bool drop) {
    std::uint64_t phase = 0;
    if (barrier_base::arrive(update, drop, phase)) {
      completion_();
      next_phase();
    }
    return phase;
  }

  [[no_unique_address]] CompletionFunction completion_;
};
}  // namespace weft
