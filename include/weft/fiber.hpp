#pragma once
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <stop_token>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <weft/detail/spawn.hpp>
#include <weft/operation_canceled.hpp>

namespace weft {
/// How a fiber is to be made. Every member has a sensible default.
/// @code
/// weft::fiber f({.name = "parser", .stack_size = 1 << 20}, parse, std::ref(input));
/// @endcode
struct fiber_options {
  /// Shown by dumps and reports. Copied; what is beyond 31 bytes is cut off.
  std::string_view name = {};
  /// Bytes the fiber may use, rounded up to a size class; 0: the runtime's
  /// runtime_options::stack_size. Virtual memory: pages are taken when touched.
  std::size_t stack_size = 0;
  /// The runtime to run on; null: the spawning fiber's, or the default one from a kernel thread.
  runtime* on = nullptr;
  /// Resume only on the kernel thread that first ran the fiber.
  bool pinned = false;
  /// The fiber changes floating-point control words (rounding, traps, flush-to-zero) and wants them
  /// kept across parks. Others must leave them as they found them at every park.
  bool fp_env = false;
  /// Where it is spawned; empty: the return address of the constructor is kept.
  source_site site = {};
};

/// std::jthread for fibers [thread.jthread.class]: the same members with the same meaning, on a
/// stack of kilobytes and a switch of nanoseconds. The destructor asks the fiber to stop and joins
/// it.
///
/// An exception that leaves the fiber's function ends the process through std::terminate, after a
/// line that names the fiber; operation_canceled leaving a fiber that was asked to stop ends it
/// normally. A handle belongs to one owner at a time, like a std::jthread; the fiber may be joined
/// from a fiber of any runtime or from a kernel thread.
///
/// One difference from std::jthread: a fiber that was asked to stop finds its next cancellation
/// point (a sleep, an explicit join, I/O) throwing operation_canceled, so code behind a loop that
/// ends by stop_requested() may not be reached.
/// @code
/// weft::fiber f([](std::stop_token stop) { while (!stop.stop_requested()) work(); });
/// f.request_stop();
/// f.join();
/// @endcode
class fiber {
  template <class F>
  static constexpr bool callable = !std::is_same_v<std::remove_cvref_t<F>, fiber> &&
                                   !std::is_same_v<std::remove_cvref_t<F>, fiber_options>;

 public:
  class id;

  /// No fiber: joinable() is false.
  fiber() noexcept = default;

  /// Starts f() or, if that is how it can be called, f(std::stop_token). Returns at once; the fiber
  /// may run on any worker of the spawning fiber's runtime, or of the default one from a kernel
  /// thread. The callable is copied or moved; up to 48 bytes it costs no allocation.
  /// @throws std::system_error when no further fiber may exist; the text names the limit.
  template <class F>
  requires callable<F>
  [[gnu::always_inline]] explicit fiber(F&& f, source_site site = source_site::current())
      : block_(start(site, std::forward<F>(f))) {}

  /// The same with arguments, decay-copied as for std::jthread.
  template <class F, class A, class... Rest>
  requires(callable<F> && !std::is_same_v<std::remove_cvref_t<A>, source_site>)
      [[gnu::always_inline]] explicit fiber(F&& f, A&& a, Rest&&... rest)
      : block_(start(detail::begin_spawn(nullptr, {}), std::forward<F>(f), std::forward<A>(a),
                     std::forward<Rest>(rest)...)) {}

  /// The same with options.
  template <class F, class... A>
  [[gnu::always_inline]] fiber(const fiber_options& options, F&& f, A&&... a)
      : block_(
            start(detail::begin_spawn(&options, {}), std::forward<F>(f), std::forward<A>(a)...)) {}

  /// Leaves the other one not joinable.
  fiber(fiber&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  /// Asks the fiber held so far to stop and joins it.
  fiber& operator=(fiber&& other) noexcept {
    if (this != &other) {
      if (block_) stop_and_join();
      block_ = std::exchange(other.block_, nullptr);
    }
    return *this;
  }
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  /// request_stop() and join(), not to be cancelled itself.
  ~fiber() {
    if (block_) stop_and_join();
  }

  /// The number of workers that a runtime has by default: usable CPUs by affinity mask and cgroup
  /// quota.
  static unsigned hardware_concurrency() noexcept;

  /// Whether there is a fiber to be joined.
  bool joinable() const noexcept { return block_ != nullptr; }
  /// Parks (or blocks, on a kernel thread) until the fiber has ended. A cancellation point: when it
  /// throws operation_canceled, the fiber is still joinable.
  /// @throws std::system_error invalid_argument: not joinable; resource_deadlock_would_occur:
  /// itself.
  void join();
  /// Lets the fiber go on alone. @throws std::system_error invalid_argument: not joinable.
  void detach();
  /// A value that no other fiber of the process has or will have; id() when not joinable.
  id get_id() const noexcept;
  /// The fiber's std stop state, made on the first call. Empty when not joinable.
  /// Terminates if memory for it is exhausted.
  std::stop_source get_stop_source() noexcept;
  /// A token of get_stop_source().
  std::stop_token get_stop_token() const noexcept;
  /// Asks the fiber to stop: sticky. Ends the cancellable wait it is in. False: it had been asked
  /// before, or there is no fiber. Stop callbacks run in the caller. Cancellation points that the
  /// fiber enters once this has returned throw; its token may tell of the request earlier.
  bool request_stop() noexcept;
  /// Exchanges handles.
  void swap(fiber& other) noexcept { std::swap(block_, other.block_); }
  /// @copydoc swap
  friend void swap(fiber& a, fiber& b) noexcept { a.swap(b); }

 private:
  template <class F>
  [[gnu::always_inline]] static inline detail::control_block* start(source_site site, F&& f);
  template <class F, class... A>
  static detail::control_block* start(detail::spawn_place place, F&& f, A&&... a);
  void stop_and_join() noexcept;

  detail::control_block* block_ = nullptr;
};

/// Identifies a fiber for as long as the process lives; ids are not reused. Ordered, hashable,
/// printable; a default-constructed one is no fiber's.
/// @code
/// std::cout << weft::this_fiber::get_id() << '\n';
/// @endcode
class fiber::id {
 public:
  id() noexcept = default;
  /// Whether they are one fiber's, or both none's.
  friend bool operator==(id, id) noexcept = default;
  /// A total order; it says nothing about the fibers.
  friend std::strong_ordering operator<=>(id, id) noexcept = default;
  /// The number that dumps and reports show; 0: no fiber.
  std::uint64_t value() const noexcept { return value_; }
  /// Made by the library.
  explicit id(std::uint64_t value) noexcept : value_(value) {}
  /// Prints value().
  template <class Char, class Traits>
  friend std::basic_ostream<Char, Traits>& operator<<(std::basic_ostream<Char, Traits>& out, id i) {
    return out << i.value_;
  }

 private:
  std::uint64_t value_ = 0;
};

/// The running fiber; on a kernel thread, what std::this_thread does.
namespace this_fiber {
/// The running fiber's id; id() on a kernel thread.
fiber::id get_id() noexcept;
/// Lets every other fiber that is ready on this worker go first. Not a cancellation point.
void yield() noexcept;
/// A token of the running fiber's stop state, made on the first call; empty on a kernel thread.
std::stop_token get_stop_token() noexcept;

namespace detail {
// Ns of CLOCK_MONOTONIC. True: asked to stop. That is thrown in the frame of the user's function,
// since each frame between a throw and its handler takes some 0.2 us to unwind.
[[nodiscard]] bool stopped_sleeping_until(std::int64_t deadline);
}  // namespace detail

/// Parks for at least that long: up to the next wake of the timer after it. Zero and negative
/// durations return at once, after a look at cancellation; what does not fit into 64-bit
/// nanoseconds is for ever. A cancellation point. @throws operation_canceled, deadline_exceeded
template <class R, class P>
void sleep_for(const std::chrono::duration<R, P>& duration);
/// Parks until the clock has reached the time. System clocks are looked at again after every wake,
/// so that a clock that is set back is waited for. A cancellation point.
template <class C, class D>
void sleep_until(const std::chrono::time_point<C, D>& time);

/// While one lives, the running fiber resumes only on the kernel thread it is on: for code that
/// relies on thread-locals across a park. Nests. No-op on a kernel thread.
/// @code
/// weft::this_fiber::pin stay;
/// legacy_library_that_caches_errno();
/// @endcode
class pin {
 public:
  /// @throws std::bad_alloc on a fiber's first pin.
  pin();
  ~pin();
  pin(const pin&) = delete;
  pin& operator=(const pin&) = delete;

 private:
  bool active_ = false;
};
}  // namespace this_fiber
}  // namespace weft

/// For unordered containers.
template <>
struct std::hash<weft::fiber::id> {
  /// As std::hash has it.
  std::size_t operator()(weft::fiber::id i) const noexcept {
    return std::hash<std::uint64_t>{}(i.value());
  }
};

#include <weft/detail/fiber_impl.hpp>
