// The report of a stack overflow: a fiber or context that runs into its guard is named before the
// process ends. In a signal handler: no locks, no allocation, each line one write.
//
// Only SIGSEGV is taken: neither kind of guard makes SIGBUS. A fault that is no overflow goes on to
// whoever had the signal before, unchanged. So does an overflow after its report, by putting that
// action back and repeating the instruction: a core dump shows the frame that overflowed.
#include <sched.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/environment.hpp"
#include "base/fatal.hpp"
#include "base/modules.hpp"
#include "base/stack_walk.hpp"
#include "fiber/computation.hpp"
#include "fiber/extras.hpp"
#include "fiber/sites.hpp"
#include "fiber/slab.hpp"
#include "runtime_life.hpp"
#include "stack/arena.hpp"
#include "time/join.hpp"

namespace weft::detail {
namespace {
constinit struct sigaction previous {};  // written before ours is installed
enum : std::uint32_t { nobody, reporting, reported };
constinit atomic<std::uint32_t> progress{nobody};
constinit module_map modules;  // written by whoever is reporting

struct search {
  stack where;
  std::uintptr_t sp;
  const control_block* found;
};

// Whose stack it is. Not always header->fiber: inside blocking() that is null, and in a switch it
// is already the next one.
const control_block* owner_of(const stack& where, std::uintptr_t sp) noexcept {
  if (const control_block* mine = current()->fiber; mine && mine->stk.lo == where.lo) return mine;
  search wanted{where, sp, nullptr};
  slab_for_each(
      [](control_block& block, void* arg) noexcept {
        auto& s = *static_cast<search*>(arg);
        const bool here = s.sp - reinterpret_cast<std::uintptr_t>(s.where.lo - guard_size) <
                          static_cast<std::uintptr_t>(s.where.hi - s.where.lo) + guard_size;
        if (here && block.stk.lo == s.where.lo && block.flags & fiber_flag::started &&
            block.serial.load(std::memory_order_relaxed) != 0 && !has_ended(block)) {
          s.found = &block;
        }
      },
      &wanted);
  return wanted.found;
}

struct overflow {
  stack where;
  const control_block* fiber = nullptr;     // null: a plain thread's context
  const computation* in_context = nullptr;  // null: the fiber's own stack
  explicit operator bool() const noexcept { return fiber || in_context; }
};

// False: this fault is something else. A fault in a guard is not enough: an array overrun at the
// top of the stack below ends there too, and so does a wild pointer. Of an overflow the stack
// pointer has come as far as the fault, or at most a page less.
overflow overflowed(const siginfo_t& info, const stack_walk::registers& from) noexcept {
  stack where;
  if (info.si_code <= 0 || !stack_arena::instance().find(info.si_addr, &where)) return {};
  const auto fault = reinterpret_cast<std::uintptr_t>(info.si_addr);
  const auto lo = reinterpret_cast<std::uintptr_t>(where.lo);
  if (fault >= lo || fault < lo - guard_size || from.sp > fault + page_size) return {};
  return {where, owner_of(where, from.sp), computation_on(where)};
}

// "fiber 7 "reader" (spawned at server.cpp:42)"
void describe_fiber(const control_block& block, char* to, std::size_t size) noexcept {
  char place[256];
  describe_place(site_key_of(block), &modules, place, sizeof place);
  const char* name = name_of(block);
  std::snprintf(to, size, "fiber %llu%s%s%s (spawned at %s)",
                static_cast<unsigned long long>(block.serial.load(std::memory_order_relaxed)),
                *name ? " \"" : "", name, *name ? "\"" : "", place);
}

void write_report(const overflow& of, const void* fault,
                  const stack_walk::registers& from) noexcept {
  modules.read();
  const stack& where = of.where;
  char who[384] = "a kernel thread";
  if (of.fiber) describe_fiber(*of.fiber, who, sizeof who);
  const std::size_t bytes =
      stack_class_bytes(of.in_context ? of.in_context->size_class : of.fiber->size_class);
  report("stack overflow in %s%s: its stack of %zu KiB [%p, %p) ended at the fault address %p",
         of.in_context ? "a weft::context or generator of " : "", who, bytes / 1024,
         static_cast<const void*>(where.lo), static_cast<const void*>(where.hi), fault);
  char place[256];
  int n = 0;
  for (const stack_walk::frame& f : stack_walk(modules, from, where.lo, where.hi)) {
    modules.describe(f.pc, place, sizeof place);
    char more[64] = "";
    if (f.repeated) std::snprintf(more, sizeof more, ", and %zu more of the same", f.repeated);
    report("  #%d %s%s%s", n++, place, f.guessed ? " (perhaps)" : "", more);
  }
  if (of.in_context) return report("raise context_options::stack_size (now %zu)", bytes);
  report("raise fiber_options::stack_size (now %zu) or runtime_options::stack_size", bytes);
}

// As if ours had never been there.
void pass_on(int signal, siginfo_t* info, void* context) noexcept {
  const bool sent = info->si_code <= 0;  // by kill or raise: returning does not repeat it
  if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
    if (sent && previous.sa_handler == SIG_IGN) return;
    ::sigaction(signal, &previous, nullptr);
    if (sent) ::raise(signal);  // blocked until this handler returns
    return;
  }
  const auto flags = static_cast<unsigned>(previous.sa_flags);
  if (flags & SA_RESETHAND) {
    struct sigaction none {};
    none.sa_handler = SIG_DFL;
    ::sigaction(signal, &none, nullptr);
  }
  // The mask that it would have had; the kernel puts the interrupted one back when we return.
  ::pthread_sigmask(SIG_BLOCK, &previous.sa_mask, nullptr);
  if ((flags & SA_NODEFER) && !::sigismember(&previous.sa_mask, signal)) {
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, signal);
    ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  }
  if (flags & SA_SIGINFO) {
    previous.sa_sigaction(signal, info, context);
  } else {
    previous.sa_handler(signal);
  }
}

// A fault in here finds the signal blocked: the kernel ends the process.
void on_fault(int signal, siginfo_t* info, void* context) {
  const stack_walk::registers from = stack_walk::interrupted(context);
  const overflow found = overflowed(*info, from);
  if (!found) return pass_on(signal, info, context);
  std::uint32_t expected = nobody;
  // acquire: pairs with the release below, of the thread whose report this one waits for.
  if (progress.compare_exchange_strong(expected, reporting, std::memory_order_acquire,
                                       std::memory_order_acquire)) {
    write_report(found, info->si_addr, from);
    ::sigaction(signal, &previous, nullptr);
    progress.store(reported, std::memory_order_release);
    return;
  }
  while (progress.load(std::memory_order_acquire) == reporting) ::sched_yield();
}

bool install() noexcept {
  const char* wish = environment("WEFT_OVERFLOW_REPORT");
  if (wish && std::strcmp(wish, "0") == 0) return false;
  if (::sigaction(SIGSEGV, nullptr, &previous) != 0) return false;
  struct sigaction ours {};
  ours.sa_sigaction = on_fault;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&ours.sa_mask);
  return ::sigaction(SIGSEGV, &ours, nullptr) == 0;
}
}  // namespace

void report_overflows() noexcept {
  static const bool installed = install();
  static_cast<void>(installed);
}
}  // namespace weft::detail
