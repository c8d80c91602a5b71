// In a forked child only the calling thread exists: every runtime is dead. weft::io calls are plain
// system calls there and spawning throws, so that fork and exec, system and popen work.
#include <pthread.h>

#include <cerrno>

#include "base/fatal.hpp"
#include "fiber/computation.hpp"
#include "fiber/slab.hpp"
#include "queue/wait_locks.hpp"
#include "sched/spawn.hpp"

// The locks of the wait queues are taken before the process is copied. The child could free them
// by itself, but not mend a queue that another thread was at work on. Nobody forks who holds one:
// it is held for some instructions of the library's, never while anything of the user's runs. (A
// signal handler may not fork: malloc's locks are taken likewise.)
namespace weft::detail {
namespace {
constinit atomic<bool> in_child{false};

// The contexts that the fiber was in run on the plain thread from now on.
void keep_contexts(thread_header* header) noexcept {
  const control_block* const fiber = header->fiber ? header->fiber : header->lent;
  if (!fiber) return;
  computation** link = &header->inside;
  while (*link) link = &(*link)->enclosing;  // resumed inside blocking()
  for (computation* c = computation_on(fiber->stk); c; c = computation_on(c->outer)) {
    *link = c;
    link = &c->enclosing;
  }
  *link = nullptr;
}

void child() noexcept {
  in_child.store(true, std::memory_order_relaxed);
  slab_forked();  // a thread that waits has a block
  queue_locks_forked_child();
  // The child's one thread was perhaps a carrier: it is a plain thread now, on whatever stack it
  // was.
  thread_header* header = current();
  keep_contexts(header);
  header->fiber = nullptr;
  header->lent = nullptr;
  header->held = nullptr;
  header->self = nullptr;
  header->syscalls = nullptr;
  header->stand_in = nullptr;
  header->exploring = nullptr;
}
}  // namespace

bool has_forked() noexcept {
  return in_child.load(std::memory_order_relaxed);
}

void note_forks() {
  static const bool registered = [] {  // again at the next call if it throws
    if (::pthread_atfork(queue_locks_forking, queue_locks_forked_parent, child) == 0) return true;
    throw_system(ENOMEM,
                 "weft: no memory for the handler that runs when the process forks; without it a "
                 "child would wait for threads that stayed in the parent");
  }();
  static_cast<void>(registered);
}
}  // namespace weft::detail
