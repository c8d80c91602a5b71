#include "base/current.hpp"

#include <cxxabi.h>
#include <pthread.h>

#include <cerrno>
#include <weft/detail/sync_storage.hpp>

#include "base/owner_word.hpp"
#include "base/spin_lock.hpp"

namespace weft::detail {
namespace {
constinit thread_local thread_header header;

// A key of POSIX, not a thread_local with a destructor: without memory to register one, the C++
// runtime ends the process. It also comes later, when other destructors no longer wait.
struct end_of_threads {
  spin_lock lock;  // guards the making of the key
  atomic<bool> made{false};
  pthread_key_t key{};
  // Each thread has stored those that it needs.
  atomic<void (*)(thread_header*) noexcept> ends[static_cast<unsigned>(thread_end::count_)]{};
};
constinit end_of_threads ends{};

void thread_ends(void* of) {
  for (auto& end : ends.ends) {
    if (auto* const call = end.load(std::memory_order_relaxed)) {
      call(static_cast<thread_header*>(of));
    }
  }
}

constinit sys_counts shared;
}  // namespace

// Opaque to every caller outside this file, which is compiled without link-time optimisation
// (CMakeLists.txt): what looks like one of its functions is not analysed. noinline: nor in here.
[[gnu::noinline]] thread_header* current() noexcept {
  return &header;
}

namespace {
// The words were initialised as integers: as core_of in sync/core_of.hpp.
atomic<owner_id>& as_owner_word(std::uint64_t* first) noexcept {
  asm volatile("" : "+r"(first) : : "memory");
  return *reinterpret_cast<atomic<owner_id>*>(first);
}
}  // namespace

// Here, because beside the variable they need not call for its address: without a call they have
// no frame and store nothing, and a locked instruction waits for every store before it. In an
// explored run others may go first, which is the long way's business.
bool own_word(std::uint64_t* first) noexcept {
  if (header.exploring) [[unlikely]]
    return false;
  owner_id seen;
  return take_free(as_owner_word(first), self_of(&header), seen);
}
bool disown_word(std::uint64_t* first) noexcept {
  if (header.exploring) [[unlikely]]
    return false;
  owner_id seen;
  return leave_free(as_owner_word(first), self_of(&header), seen);
}

[[gnu::noinline]] void adopt_thread(thread_header* self) noexcept {
  self->errno_address = &errno;
  self->exceptions = reinterpret_cast<exception_state*>(abi::__cxa_get_globals());
}

int at_thread_end(thread_header* self, thread_end what,
                  void (*end)(thread_header*) noexcept) noexcept {
  ends.ends[static_cast<unsigned>(what)].store(end, std::memory_order_relaxed);
  // acquire: pairs with the release below. The lock only once: a child of fork may find it held by
  // a thread that it does not have.
  if (!ends.made.load(std::memory_order_acquire)) {
    const spin_guard guard(ends.lock);
    if (!ends.made.load(std::memory_order_relaxed)) {
      if (const int error = ::pthread_key_create(&ends.key, thread_ends)) return error;
      ends.made.store(true, std::memory_order_release);
    }
  }
  return ::pthread_setspecific(ends.key, self);
}

sys_counts& shared_sys_counts() noexcept {
  return shared;
}

void count_syscall(sys kind) noexcept {
  const auto at = static_cast<std::size_t>(kind);
  if (sys_counts* mine = current()->syscalls) {
    bump(mine->by_kind[at]);
  } else {
    shared.by_kind[at].fetch_add(1, std::memory_order_relaxed);
  }
}
}  // namespace weft::detail
