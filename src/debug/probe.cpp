// One question at a time, in a place that is never freed: who asks may give up waiting, and the
// thread that was asked may answer late.
//
//   free --(asker)--> preparing --> asked --(handler)--> walking --> answered --(asker)--> free
//                                   asked --(asker gives up)--> free
//                                                       walking --(asker gives up)--> abandoned
//                                                       abandoned --(handler)--> free
// Whoever moved the word last but to `answered` or `free` owns the rest. An asker that finds it not
// free waits a little, and does without.
#include "debug/probe.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "base/peek.hpp"
#include "stack/arena.hpp"

namespace weft::detail {
namespace {
enum : std::uint32_t { unasked, preparing, asked, walking, answered, abandoned };

struct question {
  atomic<std::uint32_t> state{unasked};
  atomic<std::int32_t> tid{0};
  const control_block* fiber = nullptr;
  module_map code;
  trace answer;
};
constinit question slot{};

// acq_rel everywhere: the rest of the slot changes hands with the word.
bool move(std::uint32_t from, std::uint32_t to) noexcept {
  return slot.state.compare_exchange_strong(from, to, std::memory_order_acq_rel,
                                            std::memory_order_relaxed);
}

// On the carrier, on its signal stack. No system call, so errno stays. In the middle of a switch
// the stack is not the one of the fiber that the header names.
void on_question(int, siginfo_t*, void* context) {
  const thread_header* header = current();
  if (!header->self) return;
  // A signal that comes late is not for the question of the day.
  const std::int32_t mine = header->self->tid.load(std::memory_order_relaxed);
  if (slot.tid.load(std::memory_order_relaxed) != mine || !move(asked, walking)) return;
  const stack_walk::registers from = stack_walk::interrupted(context);
  stack where;
  slot.answer.count = 0;
  if (slot.tid.load(std::memory_order_relaxed) == mine && header->fiber == slot.fiber &&
      stack_arena::instance().find(reinterpret_cast<const void*>(from.sp), &where) &&
      where.lo == slot.fiber->stk.lo) {
    walk_running(slot.code, from, slot.answer);
  }
  if (!move(walking, answered)) {
    // release: pairs with the next asker's acquire.
    slot.state.store(unasked, std::memory_order_release);
  }
}

// Ours, unless the program has a handler for it.
bool listen() noexcept {
  struct sigaction now {};
  if (::sigaction(SIGURG, nullptr, &now) != 0) return false;
  if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_question) return true;
  if (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN) return false;
  struct sigaction ours {};
  ours.sa_sigaction = on_question;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  ::sigemptyset(&ours.sa_mask);
  return ::sigaction(SIGURG, &ours, nullptr) == 0;
}

// False: too late.
bool pause_until(nanos deadline) noexcept {
  if (now() >= deadline) return false;
  const timespec moment{.tv_sec = 0, .tv_nsec = 50'000};
  ::nanosleep(&moment, nullptr);
  return true;
}
}  // namespace

void walk_on_thread(std::int32_t tid, const control_block& fiber, nanos deadline,
                    trace& to) noexcept {
  to.count = 0;
  if (!listen()) return;
  while (!move(unasked, preparing)) {
    if (!pause_until(deadline)) return;
  }
  slot.tid.store(tid, std::memory_order_relaxed);
  slot.fiber = &fiber;
  slot.code.read();
  // release: pairs with the handler's acquire.
  slot.state.store(asked, std::memory_order_release);
  if (::syscall(SYS_tgkill, ::getpid(), tid, SIGURG) != 0) {
    if (move(asked, unasked)) return;
  }
  // acquire: pairs with the handler's release.
  while (slot.state.load(std::memory_order_acquire) != answered) {
    if (pause_until(deadline)) continue;
    if (move(asked, unasked) || move(walking, abandoned)) return;
  }
  to = slot.answer;
  slot.state.store(unasked, std::memory_order_release);
}
}  // namespace weft::detail
