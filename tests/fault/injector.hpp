#pragma once
#include <cstddef>

// Makes the n-th call of a function fail, in this process. The functions are replaced at link time:
// those that the library calls by the linker's --wrap (tests/CMakeLists.txt has the list), malloc
// and its kin for the whole process, libc and libstdc++ included.
namespace weft::test {
enum class call : unsigned {
  mmap,
  munmap,
  mprotect,
  madvise,
  process_madvise,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  epoll_pwait2,
  eventfd,
  pthread_create,
  pthread_key_create,
  sigaltstack,
  sigaction,
  atexit,
  socket,
  socketpair,
  pipe2,
  accept4,
  connect,
  open,
  futex,
  membarrier,
  getaddrinfo,
  malloc,  // and calloc, realloc, aligned allocation, operator new
  count_
};
inline constexpr unsigned calls = static_cast<unsigned>(call::count_);
const char* name_of(call) noexcept;

// From now on the n-th call (from 1) of `which` fails with `error`, or every one from the n-th on.
// n = 0: none fails, all are counted.
void arm(call which, long n, int error, bool forever) noexcept;
// No call fails. What a failed munmap left is unmapped: the kernel's refusal is no leak.
void disarm() noexcept;
// From now on there are no guards by madvise, as before Linux 6.13.
void pretend_old_kernel(bool) noexcept;
long counted(call) noexcept;  // since arm()
long failed() noexcept;       // calls that were made to fail since arm()

// In the environment, where it is before main(): so many calls of pthread_atfork are refused, from
// the process's first one on.
inline constexpr const char* refused_handlers = "WEFT_FAULT_FORK_HANDLERS";
long fork_handler_calls() noexcept;

// Blocks of the heap that are in use.
long live_blocks() noexcept;
}  // namespace weft::test
