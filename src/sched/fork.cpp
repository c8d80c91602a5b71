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
//
// Invariant: no handler of the user's runs between the taking and the freeing. One that waits there
// for a weft::mutex would hang, and so would one that unlocks what others wait for. Handlers for
// before the fork run in the reverse order of their registration, those for after it in the order:
// so ours are registered before main() and before what other constructors register. Earlier come
// only those of shared libraries that are loaded first, and of constructors with the same priority
// that are linked first; docs/synchronisation.md says what these must not do. To let the forking
// thread through the locks that it holds would not help them: the mutex is unlocked by another
// thread, which needs the queue's lock for that. And .preinit_array, which is earlier still, is
// refused by the linker in a shared library, where weft may be a part of.
namespace weft::detail {
namespace {
constinit atomic<bool> in_use{false};  // what a child would lack may exist
constinit atomic<bool> in_child{false};
constinit atomic<bool> registered{false};

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
  // A server may fork before its first runtime: its children make their own.
  if (in_use.load(std::memory_order_relaxed)) in_child.store(true, std::memory_order_relaxed);
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

bool register_handlers() noexcept {
  if (::pthread_atfork(queue_locks_forking, queue_locks_forked_parent, child) != 0) return false;
  registered.store(true, std::memory_order_relaxed);
  return true;
}

// Nothing here needs to be constructed, so the order among constructors is of no account. One that
// ran before may have made a runtime. 101: the first priority that is not the implementation's.
[[gnu::constructor(101)]] void register_at_load() noexcept {
  if (!registered.load(std::memory_order_relaxed)) register_handlers();  // or note_forks() does it
}
}  // namespace

bool has_forked() noexcept {
  return in_child.load(std::memory_order_relaxed);
}

void note_forks() {
  if (!registered.load(std::memory_order_relaxed)) [[unlikely]] {
    static const bool late = [] {  // by one thread; again at the next call if it throws
      if (register_handlers()) return true;
      throw_system(ENOMEM,
                   "weft: no memory for the handler that runs when the process forks; without it a "
                   "child would wait for threads that stayed in the parent");
    }();
    static_cast<void>(late);
  }
  in_use.store(true, std::memory_order_relaxed);
}
}  // namespace weft::detail
