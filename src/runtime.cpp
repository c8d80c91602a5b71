// The one file that knows all layers: it makes a runtime out of them and takes it apart again.
#include <weft/runtime.hpp>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <system_error>

#include "base/asymmetric_fence.hpp"
#include "base/cpu_count.hpp"
#include "base/environment.hpp"
#include "base/fatal.hpp"
#include "base/limits.hpp"
#include "base/sanitizer_check.hpp"
#include "debug/dump.hpp"
#include "debug/dump_signal.hpp"
#include "debug/hog.hpp"
#include "io/events.hpp"
#include "park/park.hpp"
#include "runtime_life.hpp"
#include "sched/blocking.hpp"
#include "sched/core_visit.hpp"
#include "sched/drain.hpp"
#include "sched/internal.hpp"
#include "sched/observe.hpp"
#include "sched/process_end.hpp"
#include "sched/spawn.hpp"
#include "sched/threads.hpp"
#include "time/join.hpp"
#include "trace/trace.hpp"

namespace weft {
namespace detail {
namespace {
constexpr unsigned most_blocking = 4096;

void check(const runtime_options& options) {
  if (options.workers > max_workers) {
    throw_system(EINVAL,
                 "weft: runtime_options::workers is %u; the range is 1 to %u, or 0 for the "
                 "number of usable CPUs",
                 options.workers, max_workers);
  }
  if (options.max_blocking == 0 || options.max_blocking > most_blocking) {
    throw_system(EINVAL, "weft: runtime_options::max_blocking is %u; the range is 1 to %u",
                 options.max_blocking, most_blocking);
  }
  if (options.hog_report.count() < 0) {
    throw_system(EINVAL, "weft: runtime_options::hog_report is %lld ns; it must not be negative",
                 static_cast<long long>(options.hog_report.count()));
  }
}

nanos hog_limit_of(const runtime_options& options) {
  const char* const wish = environment("WEFT_HOG_REPORT");
  if (!wish || !*wish) return options.hog_report.count();
  char* end = nullptr;
  const unsigned long ms = std::strtoul(wish, &end, 10);
  if (*end != 0 || ms > 3'600'000) {
    throw_system(EINVAL,
                 "weft: WEFT_HOG_REPORT is \"%s\"; it must be a number of milliseconds from 1 to "
                 "3600000, or 0 for no reports",
                 wish);
  }
  return static_cast<nanos>(ms) * 1'000'000;
}

[[noreturn]] void throw_no_thread(int error, unsigned which) {
  throw_system(error,
               "weft: kernel thread %u of the runtime could not be created (%s; fewer "
               "runtime_options::workers need fewer)",
               which + 1, thread_limit_text(error).text);
}

}  // namespace

void release_core(runtime_core& core) noexcept {
  end_visits(core);  // which has not been done where there were no threads
  event_source* events = core.events;
  recycle_core(core);
  delete events;
}

runtime_core& make_core(const runtime_options& options) {
  check(options);
  chaos::announce();
  check_sanitizers();
  const nanos hog_limit = hog_limit_of(options);
  prepare_asymmetric_fence();
  note_forks();
  note_exit();
  report_overflows();
  dump_on_signal();
  dump_when_fatal([](int fd) noexcept { dump_fibers(fd, nullptr, dump_detail::grouped); });
  const stack_class size_class = stack_class_for(options.stack_size);
  const unsigned workers = options.workers ? options.workers : usable_cpus();
  runtime_core& core = obtain_core(workers < max_workers ? workers : max_workers);
  core.default_class = size_class;
  static constinit atomic<std::uint32_t> runtimes{0};
  core.number = runtimes.fetch_add(1, std::memory_order_relaxed) + 1;
  core.blocking_limit = options.max_blocking;
  core.hog_limit = hog_limit;
  core.report_hog = report_hog;
  try {
    core.events = new events(core);
  } catch (...) {
    release_core(core);
    throw;
  }
  begin_visits(core);
  return core;
}

runtime_core& start_runtime(const runtime_options& options) {
  runtime_core& core = make_core(options);
  // Not in make_core: an explored run has no carrier's loop, which does half of the observing.
  begin_observing(core, (start_trace(describe_site) ? observed_by::trace : 0) |
                            (measures_stacks(options) ? observed_by::stacks : 0) |
                            (options.scrub_stacks ? observed_by::scrub : 0));
  for (unsigned i = 0; i < core.workers; ++i) {
    if (const int error = start_carrier(core, core.processors[i], false)) {
      stop_threads(core);
      release_core(core);
      throw_no_thread(error, i);
    }
  }
  for (unsigned i = 0; chaos::on() && i < chaos::spares; ++i) start_carrier(core, nullptr, false);
  if (const int error = start_monitor(core)) {
    stop_threads(core);
    release_core(core);
    throw_no_thread(error, core.workers);
  }
  core.monitor.started = true;
  return core;
}

bool drain_runtime(runtime_core& core, nanos deadline) noexcept {
  const thread_header* header = current();
  // The second: inside blocking(), where its fiber counts as a plain thread.
  if (header->self && header->self->core == &core) {
    fatal(
        "fiber %llu ends its own runtime, and would wait for itself: destroy or shut down a "
        "runtime "
        "from a kernel thread, or from a fiber of another one",
        static_cast<unsigned long long>(
            header->fiber ? header->fiber->serial.load(std::memory_order_relaxed) : 0));
  }
  request_stop_all(core);
  if (!header->fiber) return wait_drained(core, deadline);
  // On a fiber of another runtime: the wait blocks the kernel, so it gives its processor up
  // meanwhile.
  const blocking_section inside;
  return wait_drained(core, deadline);
}

void end_runtime(runtime_core& core) noexcept {
  stop_threads(core);
  release_core(core);
}

void run_and_wait(runtime_core* core, void (*fn)(void*), void* arg, source_site site) {
  const thread_header* header = current();
  if (!core) {
    core = header->fiber ? header->fiber->rt.load(std::memory_order_relaxed) : &default_core();
  }
  // Its own return address, the same for all calls of run(), would tell nobody anything.
  if (!site.file) site.file = "weft::run";
  struct call {
    void (*fn)(void*);
    void* arg;
    void operator()() const { fn(arg); }
  };
  // What a thread waits with, first: once the fiber runs, the caller's frame must stay.
  if (!header->fiber) static_cast<void>(self_block());
  control_block* block = finish_spawn(begin_spawn(*core, site), [&] { return call{fn, arg}; });
  join_quietly(*block);
}
}  // namespace detail

runtime::runtime(runtime_options options) : core_(&detail::start_runtime(options)) {}

runtime::~runtime() {
  if (detail::has_forked()) return;  // its threads stayed in the parent
  detail::drain_runtime(*core_, detail::never);
  detail::end_runtime(*core_);
}

bool runtime::shutdown(std::chrono::nanoseconds limit) {
  const detail::nanos until = detail::saturating_add(detail::now(), limit.count());
  if (detail::drain_runtime(*core_, until)) return true;
  detail::report("runtime::shutdown: %llu fibers have not ended within %lld ms:",
                 static_cast<unsigned long long>(detail::alive(*core_)),
                 static_cast<long long>(limit.count() / 1'000'000));
  detail::dump_fibers(2, core_, dump_detail::grouped);
  return false;
}

unsigned runtime::workers() const noexcept {
  return core_->workers;
}
}  // namespace weft
