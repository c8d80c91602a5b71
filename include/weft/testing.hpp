#pragma once
#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <weft/source_site.hpp>

/// @file
/// Tests that try many schedules. explore() runs a function again and again on one kernel thread,
/// each time with another seed, from which every choice of who runs next follows; what fails with a
/// seed fails with it always. Time is virtual: it goes on only when nothing can run. See
/// docs/testing.md for what is a scheduling point, and what such a run cannot see.
namespace weft::testing {
/// How a seed becomes a schedule.
enum class strategy {
  mixed,        ///< Odd seeds walk, even ones have priorities.
  random_walk,  ///< At every point, every fiber that can run has the same chance.
  priorities,   ///< Probabilistic concurrency testing: the fiber of the highest random priority
                ///< runs; at a few random steps it falls behind all others.
};

/// What was wrong with a run.
enum class failure {
  none,         ///< Nothing.
  exception,    ///< An exception left f or a fiber.
  check,        ///< A check() did not hold.
  predicate,    ///< explore_options::failed said so.
  deadlock,     ///< Nothing can run, no timer is armed, and f has not returned.
  left_behind,  ///< The same after f has returned: fibers are parked for ever.
  step_limit,   ///< explore_options::max_steps were not enough: perhaps a livelock.
};

/// How to explore. Every member has a sensible default.
struct explore_options {
  /// How many seeds to try. The environment variable WEFT_EXPLORE_SEEDS, a number, overrides it.
  std::uint64_t seeds = 1000;
  /// The first of them; the others follow it. WEFT_EXPLORE_SEED=n tries n alone.
  std::uint64_t first_seed = 1;
  /// How a seed becomes a schedule.
  testing::strategy strategy = testing::strategy::mixed;
  /// For strategy::priorities: how many times in a run the fiber that runs falls behind.
  unsigned priority_changes = 3;
  /// Steps from one scheduling point to the next that one run may take.
  std::uint64_t max_steps = 100'000;
  /// Time may also go on while fibers can run, as on a machine that is busy elsewhere: a timeout
  /// may then win against work that takes no time.
  bool busy_clock = false;
  /// When f has returned, ask the fibers that are left to stop, as the end of a runtime does.
  bool stop_left_behind = false;
  /// How long, in real time, a run in which nothing can run waits for descriptors that fibers wait
  /// for, before time goes on to the next timer, or the run counts as a deadlock.
  std::chrono::milliseconds io_wait{100};
  /// Asked after every run; true: the run has failed. For GoogleTest:
  /// @code
  /// options.failed = [] { return ::testing::Test::HasFailure(); };
  /// @endcode
  std::function<bool()> failed = {};
  /// Where the report of a failure is written, a file descriptor; negative: nowhere.
  int print_to = 2;
  /// Lines of the schedule in the report; 0: all. Of a longer one, the first and the last.
  std::size_t print_lines = 60;
  /// The whole schedule of the run that failed, or was replayed, is written to this file;
  /// WEFT_EXPLORE_FILE=path overrides it. Empty: nowhere.
  std::string schedule_file = {};
};

/// What an exploration has found.
struct explore_result {
  failure kind = failure::none;      ///< Of the last run.
  std::uint64_t seed = 0;            ///< The last one tried: the one that failed, if one did.
  std::uint64_t runs = 0;            ///< How many there were.
  std::uint64_t steps = 0;           ///< Of the last run.
  std::chrono::nanoseconds time{0};  ///< Virtual, that passed in the last run.
  std::string message;               ///< What was wrong, in one or more lines.
  std::string schedule;              ///< All of the run that failed or was replayed.
  std::string report;                ///< As it was printed.
  std::exception_ptr exception;      ///< For failure::exception.
  /// False: a descriptor, another kernel thread or a clock of the world took part in some run, so
  /// that its seed may not tell all.
  bool deterministic = true;
  /// Fibers of a failed run that could not be ended. They never run again; their stacks, and what
  /// those refer to, are not freed.
  std::uint64_t abandoned = 0;

  /// No run has failed.
  bool ok() const noexcept { return kind == failure::none; }
  /// The same.
  explicit operator bool() const noexcept { return ok(); }
};

namespace detail {
using weft::source_site;
// Calls call(f) in every run.
explore_result explore(void (*call)(void*), void* f, const explore_options& options,
                       source_site site);
explore_result replay(std::uint64_t seed, void (*call)(void*), void* f,
                      const explore_options& options, source_site site);
// By reference, whatever it is: a function too.
template <class F>
struct each_run {
  F& f;
  static void call(void* self) { static_cast<void>(std::invoke(static_cast<each_run*>(self)->f)); }
};
}  // namespace detail

/// Runs f() on a fiber once for each seed, until a run fails: its report goes to
/// explore_options::print_to. Every run must begin alike, so f makes all that it uses; what it
/// spawns must end. All of a run is on the calling kernel thread, which must not need anything
/// else meanwhile; called on a fiber, on a thread of its own.
///
/// After a failure the fibers of the run are asked to stop and run on to their end; what does not
/// end is abandoned (explore_result::abandoned).
/// @throws std::system_error when a limit is reached
/// @code
/// TEST(account, transfers_are_atomic) {
///   auto found = weft::testing::explore([] {
///     account a(100), b(0);
///     weft::fiber one([&] { transfer(a, b, 60); });
///     weft::fiber two([&] { transfer(a, b, 60); });
///     one.join();
///     two.join();
///     weft::testing::check(a.balance() >= 0, "overdrawn");
///   });
///   EXPECT_TRUE(found.ok()) << found.report;
/// }
/// @endcode
template <class F>
requires std::invocable<F&> explore_result explore(F&& f, const explore_options& options = {},
                                                   source_site site = source_site::current()) {
  detail::each_run<std::remove_reference_t<F>> each{f};
  return detail::explore(each.call, &each, options, site);
}

/// The same with nothing but the number of seeds.
template <class F, std::integral N>
requires std::invocable<F&> explore_result explore(F&& f, N seeds,
                                                   source_site site = source_site::current()) {
  explore_options options;
  options.seeds = static_cast<std::uint64_t>(seeds);
  return testing::explore(std::forward<F>(f), options, site);
}

/// Runs f() once, with the seed, and prints the schedule, whether it fails or not. The options must
/// be those of the exploration.
template <class F>
requires std::invocable<F&> explore_result replay(std::uint64_t seed, F&& f,
                                                  const explore_options& options = {},
                                                  source_site site = source_site::current()) {
  detail::each_run<std::remove_reference_t<F>> each{f};
  return detail::replay(seed, each.call, &each, options, site);
}

/// A scheduling point of the program's own: in an explored run another fiber may go first. Put it
/// between two accesses to shared data that a preemption may come between. Elsewhere it does
/// nothing, in a few nanoseconds. The label, a string literal, is shown in the schedule.
void point(const char* label = nullptr) noexcept;

/// In an explored run, where `holds` is false: the run has failed, and the fiber is unwound by an
/// exception that is none of std's. Elsewhere a false one aborts with a line that says where.
void check(bool holds, std::string_view message = {}, source_site site = source_site::current());

/// A number below `bound` that the seed determines: for failures to inject, sizes, delays. Outside
/// of an explored run it is 0. `bound` is at least 1.
std::uint32_t choose(std::uint32_t bound) noexcept;

/// Whether the caller runs in an exploration.
bool exploring() noexcept;

/// Virtual time in an explored run, from 0 on; CLOCK_MONOTONIC elsewhere. Time points of other
/// clocks work in an explored run, but make it depend on the world.
/// @code
/// auto until = weft::testing::clock::now() + 5s;
/// while (weft::testing::clock::now() < until) step();
/// @endcode
struct clock {
  using duration = std::chrono::nanoseconds;          ///< Of Clock [time.clock].
  using rep = duration::rep;                          ///< Likewise.
  using period = duration::period;                    ///< Likewise.
  using time_point = std::chrono::time_point<clock>;  ///< Likewise.
  static constexpr bool is_steady = true;             ///< Likewise.
  static constexpr bool is_weft_virtual = true;       ///< For the library.
  static time_point now() noexcept;                   ///< Likewise.
};
}  // namespace weft::testing
