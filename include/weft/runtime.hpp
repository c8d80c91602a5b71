#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <weft/detail/spawn.hpp>

namespace weft {
/// How a runtime is to be made.
struct runtime_options {
  /// Kernel threads that run fibers at the same time, 1 to 1024; 0: the CPUs that the affinity mask
  /// and the cgroup quota leave us.
  unsigned workers = 0;
  /// Bytes a fiber may use; virtual memory, pages are taken when touched. Up to 64 MiB, rounded
  /// up to a size class. 64 KiB below every stack are guarded: a fiber that runs into them is named
  /// on stderr before SIGSEGV takes its course (WEFT_OVERFLOW_REPORT=0 in the environment: it is
  /// not).
  std::size_t stack_size = 256 * 1024;
  /// Callers of weft::blocking (and of file I/O and name resolution, which go through it) that may
  /// be inside at a time; further ones park and queue. Each may cost a kernel thread. 1 to 4096.
  unsigned max_blocking = 256;
  /// Measures how deep the fibers of each spawn site use their stacks; weft::stack_use() tells.
  /// Costs every fiber a system call at its start and one at its end, and every switch some 100 ns:
  /// for finding the right stack_size, not for production. WEFT_MEASURE_STACKS=1 in the environment
  /// switches it on for every runtime.
  bool measure_stacks = false;
  /// Clears each stack when its fiber ends, before anything else may run on it: for programs whose
  /// fibers handle secrets of different parties. What a fiber leaves is otherwise there for the
  /// next one to disclose by mistake. Costs a system call for each fiber, page faults for its
  /// successor, and closes the short paths between fibers: every switch goes through the worker's
  /// loop. Exceptions, and callables larger than 48 bytes, are on the heap, which is not cleared.
  bool scrub_stacks = false;
  /// How long a fiber may keep a worker to itself, computing or blocked in the kernel outside of
  /// weft::blocking, until it is reported on stderr: the fiber, what it does, where it was spawned,
  /// its stack; once for each spawn site. Looked at every 1 to 10 ms, so a report may come that
  /// much later. 0: nobody looks. The environment variable WEFT_HOG_REPORT, in milliseconds,
  /// overrides it. A fiber that computes is interrupted by SIGURG for its stack, unless the program
  /// handles that signal itself.
  std::chrono::nanoseconds hog_report{0};
};

/// Counters and gauges of one runtime. Counters only rise; all are sums over its threads, read
/// without stopping them, so they may be some nanoseconds apart.
struct runtime_stats {
  unsigned workers = 0;              ///< runtime_options::workers, resolved
  unsigned threads = 0;              ///< kernel threads: workers, spares, the monitor
  std::uint64_t fibers_alive = 0;    ///< spawned and not ended
  std::uint64_t fibers_running = 0;  ///< on a processor now
  std::uint64_t fibers_ready = 0;    ///< queued
  std::uint64_t fibers_parked = 0;   ///< the rest
  std::uint64_t fibers_spawned = 0;  ///< counter
  std::uint64_t switches = 0;        ///< counter: fibers resumed
  std::uint64_t steals = 0;          ///< counter: successful ones
  std::uint64_t wakes = 0;           ///< counter: kernel threads woken
  std::uint64_t sleeps = 0;          ///< counter: times a thread slept on a futex
  std::uint64_t watch_holds = 0;     ///< counter: times a thread blocked in epoll
  std::uint64_t looks = 0;           ///< counter: times readiness was looked at without blocking
  std::uint64_t blocking_calls = 0;  ///< counter: calls of weft::blocking
  unsigned blocking_inside = 0;      ///< callers of weft::blocking now
  unsigned blocking_waiting = 0;     ///< those that queue because max_blocking are inside
  std::uint64_t hogs = 0;  ///< counter: fibers that held a worker for runtime_options::hog_report
  std::size_t stacks_in_use = 0;       ///< of the process, as are the next three
  std::size_t stacks_cached = 0;       ///< idle ones
  std::size_t stack_bytes_mapped = 0;  ///< virtual
  /// How stacks are guarded: "madvise" (Linux 6.13), "mprotect", or "none yet".
  const char* guard_tier = "none yet";
  /// System calls made by the library on this runtime's threads, by kind.
  struct system_calls {
    std::uint64_t epoll_wait = 0;     ///< with and without blocking
    std::uint64_t epoll_ctl = 0;      ///< registrations
    std::uint64_t eventfd_write = 0;  ///< kicks of the watch
    std::uint64_t futex_wait = 0;     ///< kernel threads going to sleep
    std::uint64_t futex_wake = 0;     ///< kernel threads woken
    std::uint64_t read = 0;           ///< read, readv, recv, recvmsg and their kin
    std::uint64_t write = 0;          ///< write, writev, send, sendmsg and their kin
    std::uint64_t accept = 0;         ///< accept4
    std::uint64_t connect = 0;        ///< connect
    std::uint64_t poll = 0;           ///< poll with timeout 0
    std::uint64_t close = 0;          ///< close
    std::uint64_t other = 0;          ///< socket options and the like
  } syscalls;                         ///< see system_calls
};

/// A set of kernel threads that run fibers. Any number may live in one process. A runtime in use
/// must not be destroyed from one of its own fibers: that aborts with a line that says so.
///
/// A child forked by a process that uses the library has its runtimes without their threads:
/// spawning and joining throw there, mutexes and plain I/O work. One forked before that makes
/// runtimes of its own. Handlers of pthread_atfork may do what code around the fork may.
/// @code
/// weft::runtime rt({.workers = 2});
/// int n = rt.run([] { return 42; });
/// @endcode
class runtime {
 public:
  /// Starts the threads. @throws std::system_error with a message that names the limit it hit;
  /// EINVAL for options out of range.
  explicit runtime(runtime_options = {});
  /// Requests stop of its fibers, then waits for them, for ever if need be.
  ~runtime();
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  /// Requests stop of its fibers and waits until they have ended, but no longer than the limit.
  /// False, and a dump on stderr, if some would not end; the runtime goes on then, and can be asked
  /// again.
  bool shutdown(std::chrono::nanoseconds limit);

  /// Runs f(args...) on a fiber of this runtime and returns its result or rethrows what it threw.
  /// From a kernel thread it blocks, from a fiber (of any runtime) it parks. Not a cancellation
  /// point itself.
  /// @throws std::system_error when no further fiber may exist
  template <class F, class... A>
  auto run(F&& f, A&&... args) -> std::invoke_result_t<F, A...>;

  /// The number of workers.
  unsigned workers() const noexcept;
  /// A snapshot of counters and gauges. O(workers).
  runtime_stats stats() const noexcept;

 private:
  friend struct detail_access;
  detail::runtime_core* core_;
};

/// Sets the options of the default runtime. To be called before its first use.
/// @throws std::logic_error when it exists already
void configure_default(runtime_options);

/// runtime::run on the process-wide default runtime, made on first use: with WEFT_WORKERS workers
/// if that environment variable is set, else as configure_default said. In a fiber: on its own
/// runtime.
template <class F, class... A>
auto run(F&& f, A&&... args) -> std::invoke_result_t<F, A...>;
}  // namespace weft

#include <weft/detail/runtime_impl.hpp>
