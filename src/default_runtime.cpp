// The process-wide runtime: made on first use, never destroyed. When the process exits its carriers
// stop at their next switch instead of being joined: destructors of statics must not wait for
// fibers that wait for something that will not come.
#include <pthread.h>
#include <sched.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>

#include "base/environment.hpp"
#include "base/fatal.hpp"
#include "base/spin_lock.hpp"
#include "runtime_life.hpp"
#include "sched/core.hpp"
#include "sched/spawn.hpp"

namespace weft {
namespace detail {
namespace {
struct default_state {
  spin_lock lock;  // guards options
  runtime_options options;
  atomic<runtime_core*> core{nullptr};
};
constinit default_state chosen{};

void freeze() noexcept {
  runtime_core* core = chosen.core.load(std::memory_order_acquire);
  if (!core || has_forked()) return;
  core->frozen_by.store(current(), std::memory_order_relaxed);
  core->frozen.store(1, std::memory_order_seq_cst);
  core->slow_spawns.fetch_or(slow_spawn::frozen, std::memory_order_relaxed);
  // Bounded: a fiber that computes without end, or blocks its thread, is left behind. The thread
  // that runs this handler may itself be a carrier.
  const std::uint32_t mine = current()->self && current()->self->core == core ? 1 : 0;
  const nanos until = now() + 10'000'000;
  // acquire: pairs with the release in stay_frozen; the carrier runs no fiber any more.
  while (core->frozen_count.load(std::memory_order_acquire) + core->idle.look().idle + mine <
             core->workers &&
         now() < until) {
    ::sched_yield();
  }
}

unsigned workers_from_environment() {
  const char* text = environment("WEFT_WORKERS");
  if (!text || !*text) return 0;
  char* end = nullptr;
  const unsigned long value = std::strtoul(text, &end, 10);
  if (*end != 0 || value == 0 || value > max_workers) {
    throw_system(EINVAL, "weft: WEFT_WORKERS is \"%s\"; it must be a number from 1 to %u", text,
                 max_workers);
  }
  return static_cast<unsigned>(value);
}

runtime_core* make_default() {
  runtime_options options;
  {
    const spin_guard guard(chosen.lock);
    options = chosen.options;
  }
  if (const unsigned workers = workers_from_environment()) options.workers = workers;
  // Before there is anything to freeze, so that nothing is left if it fails.
  static const bool registered = [] {  // again at the next call if it throws
    if (std::atexit(freeze) == 0) return true;
    throw_system(ENOMEM,
                 "weft: no memory for the handler that stops the default runtime when the process "
                 "exits");
  }();
  static_cast<void>(registered);
  runtime_core& core = start_runtime(options);
  // It ends when the process does, and nobody joins it: that is no leak of a thread.
  ::pthread_detach(core.monitor.thread);
  // release: pairs with the acquire loads in freeze and configure_default.
  chosen.core.store(&core, std::memory_order_release);
  return &core;
}
}  // namespace

runtime_core& default_core() {
  static runtime_core* const made = make_default();  // again at the next call if it throws
  return *made;
}
}  // namespace detail

void configure_default(runtime_options options) {
  const detail::spin_guard guard(detail::chosen.lock);
  if (detail::chosen.core.load(std::memory_order_acquire)) {
    throw std::logic_error(
        "weft::configure_default: the default runtime exists already; call this before the first "
        "fiber "
        "or run() of the program");
  }
  detail::chosen.options = options;
}
}  // namespace weft
