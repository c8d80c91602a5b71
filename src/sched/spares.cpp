// Kernel threads of a runtime: made at its start, and when a processor has to be taken from a
// carrier that is blocked in the kernel.
#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <cstdio>

#include "base/fatal.hpp"
#include "sched/internal.hpp"
#include "sched/signal_stack.hpp"
#include "sched/threads.hpp"

namespace weft::detail {
namespace {
// The loop and what it calls; fibers have stacks of their own.
constexpr std::size_t carrier_stack = 256 * 1024;

struct named_thread {
  const char* name;
  void* (*body)(void*);
};

int start_thread(pthread_t& thread, void* (*body)(void*), void* arg) noexcept {
  pthread_attr_t attributes;
  if (const int error = ::pthread_attr_init(&attributes)) return error;
  ::pthread_attr_setstacksize(&attributes, carrier_stack);
  // Signals belong to the program's own threads: a handler on a fiber's stack would need 3.4 KB of
  // it.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF, SIGURG}) {
    ::sigdelset(&all, fault);
  }
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  const int error = ::pthread_create(&thread, &attributes, body, arg);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  return error;
}

void name_thread(const char* what, std::uint32_t index) noexcept {
  char name[16];
  std::snprintf(name, sizeof name, "weft-%s%u", what, index % 10000);
  ::pthread_setname_np(::pthread_self(), name);
}

void* carrier_body(void* arg) {
  auto& me = *static_cast<carrier*>(arg);
  ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  name_thread("w", me.index);
  chaos::name_thread(me.index + 1);
  const signal_stack for_reports;
  carrier_loop(me);
  return nullptr;
}

void* monitor_body(void* arg) {
  auto& me = *static_cast<carrier*>(arg);
  ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  name_thread("mon", 0);
  chaos::name_thread(~std::uint32_t{0});
  thread_header* header = current();
  adopt_thread(header);
  header->syscalls = &me.syscalls;
  monitor_loop(*me.core);
  header->syscalls = nullptr;
  return nullptr;
}
}  // namespace

int add_carrier(runtime_core& core, processor* p, bool searching, carrier*& fresh) noexcept {
  {
    const spin_guard guard(core.idle_lock);
    // Entries of a former runtime on this core are recycled: carriers are type-stable.
    const std::uint32_t count = core.carrier_count.load(std::memory_order_relaxed);
    if (count == max_carriers) return EAGAIN;
    fresh = core.carriers[count];
  }
  if (!fresh) {
    fresh = new (std::nothrow) carrier;
    if (!fresh) return ENOMEM;
  }
  fresh->core = &core;
  fresh->handed.store(p, std::memory_order_relaxed);
  fresh->handed_searching.store(searching, std::memory_order_relaxed);
  fresh->sleep.store(0, std::memory_order_relaxed);
  fresh->spare = fresh->starving = false;
  fresh->watch_holds.store(0, std::memory_order_relaxed);
  fresh->sleeps.store(0, std::memory_order_relaxed);
  for (auto& count : fresh->syscalls.by_kind) count.store(0, std::memory_order_relaxed);
  {
    const spin_guard guard(core.idle_lock);
    fresh->index = core.carrier_count.load(std::memory_order_relaxed);
    core.carriers[fresh->index] = fresh;
    // release: pairs with the acquire of the monitor and of the statistics.
    core.carrier_count.store(fresh->index + 1, std::memory_order_release);
  }
  if (p) p->holder.store(fresh, std::memory_order_relaxed);
  return 0;
}

int start_carrier(runtime_core& core, processor* p, bool searching) noexcept {
  carrier* fresh = nullptr;
  if (const int error = add_carrier(core, p, searching, fresh)) return error;
  const int error = start_thread(fresh->thread, carrier_body, fresh);
  if (error) {
    const spin_guard guard(core.idle_lock);
    // Only the monitor and the runtime's start add: nobody came in between.
    core.carrier_count.store(fresh->index, std::memory_order_relaxed);
  }
  return error;
}

int start_monitor(runtime_core& core) noexcept {
  core.monitor.core = &core;
  core.monitor.sleep.store(0, std::memory_order_relaxed);
  for (auto& count : core.monitor.syscalls.by_kind) count.store(0, std::memory_order_relaxed);
  return start_thread(core.monitor.thread, monitor_body, &core.monitor);
}

bool hand_to_spare(runtime_core& core, processor* p) noexcept {
  wake_call wake;
  {
    const spin_guard guard(core.idle_lock);
    carrier* spare = core.spare_list;
    if (!spare) return false;
    unlist_spare_locked(core, *spare);
    wake = hand_over_locked(*spare, p, false);
  }
  carry_out(core, wake, nullptr);
  return true;
}

bool start_carrier_for(runtime_core& core, processor* p) noexcept {
  return hand_to_spare(core, p) || start_carrier(core, p, false) == 0;
}

void retake(runtime_core& core, processor& p, std::uint64_t state,
            bool (*find)(runtime_core&, processor*) noexcept) noexcept {
  // acq_rel: pairs with the owner's release on entry: its queues are ours from here on.
  std::uint64_t expected = state;
  if (!p.state.compare_exchange_strong(expected, processor_state::taken, std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
    return;
  }
  // No thread is to be had: the call gets its processor back, if it has not given up on it.
  // release: as on entry.
  if (!find(core, &p)) p.state.store(state, std::memory_order_release);
}

void attach(thread_header* header, carrier& me, processor* p) noexcept {
  header->held = p;
  if (!p) return;
  p->holder.store(&me, std::memory_order_relaxed);
  // relaxed: the monitor acts on no more than the value. Only a processor inside blocking() is
  // taken, by another value, and whatever the former owner left is ours already.
  p->state.store(processor_state::running, std::memory_order_relaxed);
}
}  // namespace weft::detail
