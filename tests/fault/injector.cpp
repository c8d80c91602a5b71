#include "fault/injector.hpp"

#include <errno.h>
#include <linux/futex.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include <atomic>
#include <cstdarg>
#include <cstdlib>

namespace weft::test {
namespace {
constinit std::atomic<bool> armed{false};
constinit std::atomic<call> chosen{call::count_};
constinit std::atomic<long> nth{0};
constinit std::atomic<int> with{0};
constinit std::atomic<bool> on_and_on{false};
constinit std::atomic<long> seen[calls]{};
constinit std::atomic<long> refused{0};
constinit std::atomic<bool> old_kernel{false};
constinit std::atomic<long> handler_calls{0};
constexpr int advice_guard_install = 102;

struct range {
  void* at;
  std::size_t bytes;
};
// glibc 2.36 dereferences null in getaddrinfo when there is no memory: its own fault, so it gets
// some.
constinit thread_local bool spared = false;

constexpr long most_kept = 4096;
constinit range kept[most_kept] = {};
constinit std::atomic<long> kept_count{0};
}  // namespace

const char* name_of(call which) noexcept {
  constexpr const char* names[calls] = {"mmap",        "munmap",          "mprotect",
                                        "madvise",     "process_madvise", "epoll_create1",
                                        "epoll_ctl",   "epoll_wait",      "epoll_pwait2",
                                        "eventfd",     "pthread_create",  "pthread_key_create",
                                        "sigaltstack", "sigaction",       "atexit",
                                        "socket",      "socketpair",      "pipe2",
                                        "accept4",     "connect",         "open",
                                        "futex",       "membarrier",      "getaddrinfo",
                                        "malloc"};
  return names[static_cast<unsigned>(which)];
}

void arm(call which, long n, int error, bool forever) noexcept {
  for (auto& count : seen) count = 0;
  refused = 0;
  chosen = which;
  nth = n;
  with = error;
  on_and_on = forever;
  armed = true;
}

void disarm() noexcept {
  armed = false;
  for (long left = kept_count.exchange(0); left > 0; --left) {
    ::syscall(SYS_munmap, kept[left - 1].at, kept[left - 1].bytes);
  }
}

void pretend_old_kernel(bool yes) noexcept {
  old_kernel = yes;
}

long counted(call which) noexcept {
  return seen[static_cast<unsigned>(which)];
}

long failed() noexcept {
  return refused;
}

long fork_handler_calls() noexcept {
  return handler_calls;
}

namespace {
// Whether this call is to fail; sets errno then.
bool fails(call which) noexcept {
  if (!armed.load(std::memory_order_relaxed) || spared) return false;
  const long at = seen[static_cast<unsigned>(which)].fetch_add(1, std::memory_order_relaxed) + 1;
  if (chosen.load(std::memory_order_relaxed) != which) return false;
  const long n = nth.load(std::memory_order_relaxed);
  if (n == 0 || at < n || (at > n && !on_and_on.load(std::memory_order_relaxed))) return false;
  refused.fetch_add(1, std::memory_order_relaxed);
  errno = with.load(std::memory_order_relaxed);
  return true;
}
}  // namespace
}  // namespace weft::test

using weft::test::call;
using weft::test::fails;

// What the library calls. Each forwards to the real one.
extern "C" {
void* __real_mmap(void*, std::size_t, int, int, int, off_t);
void* __wrap_mmap(void* at, std::size_t bytes, int prot, int flags, int fd, off_t from) {
  return fails(call::mmap) ? MAP_FAILED : __real_mmap(at, bytes, prot, flags, fd, from);
}

int __real_munmap(void*, std::size_t);
int __wrap_munmap(void* at, std::size_t bytes) {
  using namespace weft::test;
  if (!fails(call::munmap)) return __real_munmap(at, bytes);
  const long i = kept_count.fetch_add(1);
  if (i < most_kept) kept[i] = {at, bytes};
  return -1;
}

#define WEFT_FORWARD(name, types, params, arguments)         \
  int __real_##name types;                                   \
  int __wrap_##name params {                                 \
    return fails(call::name) ? -1 : __real_##name arguments; \
  }
WEFT_FORWARD(mprotect, (void*, std::size_t, int), (void* at, std::size_t n, int prot),
             (at, n, prot))
WEFT_FORWARD(epoll_create1, (int), (int flags), (flags))
WEFT_FORWARD(epoll_ctl, (int, int, int, epoll_event*), (int on, int op, int fd, epoll_event* e),
             (on, op, fd, e))
WEFT_FORWARD(epoll_wait, (int, epoll_event*, int, int), (int on, epoll_event* e, int n, int ms),
             (on, e, n, ms))
WEFT_FORWARD(eventfd, (unsigned, int), (unsigned n, int flags), (n, flags))
WEFT_FORWARD(sigaltstack, (const stack_t*, stack_t*), (const stack_t* to, stack_t* was), (to, was))
WEFT_FORWARD(sigaction, (int, const struct sigaction*, struct sigaction*),
             (int which, const struct sigaction* to, struct sigaction* was), (which, to, was))
WEFT_FORWARD(atexit, (void (*)()), (void (*f)()), (f))
WEFT_FORWARD(socket, (int, int, int), (int domain, int type, int protocol),
             (domain, type, protocol))
WEFT_FORWARD(socketpair, (int, int, int, int*), (int domain, int type, int protocol, int* ends),
             (domain, type, protocol, ends))
WEFT_FORWARD(pipe2, (int*, int), (int* ends, int flags), (ends, flags))
WEFT_FORWARD(accept4, (int, sockaddr*, socklen_t*, int),
             (int fd, sockaddr* peer, socklen_t* size, int flags), (fd, peer, size, flags))
WEFT_FORWARD(connect, (int, const sockaddr*, socklen_t), (int fd, const sockaddr* to, socklen_t n),
             (fd, to, n))
#undef WEFT_FORWARD

int __real_madvise(void*, std::size_t, int);
int __wrap_madvise(void* at, std::size_t n, int advice) {
  if (fails(call::madvise)) return -1;
  if (!weft::test::old_kernel || advice != weft::test::advice_guard_install) {
    return __real_madvise(at, n, advice);
  }
  errno = EINVAL;
  return -1;
}

int __real_epoll_pwait2(int, epoll_event*, int, const timespec*, const sigset_t*);
int __wrap_epoll_pwait2(int on, epoll_event* e, int n, const timespec* left, const sigset_t* mask) {
  return fails(call::epoll_pwait2) ? -1 : __real_epoll_pwait2(on, e, n, left, mask);
}

int __real_open(const char*, int, ...);
int __wrap_open(const char* path, int flags, ...) {  // without O_CREAT
  return fails(call::open) ? -1 : __real_open(path, flags);
}

// These return the error. Before main() is called what is initialised by constants only.
int __real_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int __wrap_pthread_create(pthread_t* made, const pthread_attr_t* how, void* (*f)(void*),
                          void* arg) {
  return fails(call::pthread_create) ? errno : __real_pthread_create(made, how, f, arg);
}
int __real_pthread_atfork(void (*)(), void (*)(), void (*)());
int __wrap_pthread_atfork(void (*a)(), void (*b)(), void (*c)()) {
  const char* const wish = std::getenv(weft::test::refused_handlers);
  const long refuse = wish ? std::atol(wish) : 0;
  return weft::test::handler_calls.fetch_add(1) < refuse ? ENOMEM : __real_pthread_atfork(a, b, c);
}
int __real_pthread_key_create(pthread_key_t*, void (*)(void*));
int __wrap_pthread_key_create(pthread_key_t* key, void (*f)(void*)) {
  return fails(call::pthread_key_create) ? errno : __real_pthread_key_create(key, f);
}

int __real_getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**);
int __wrap_getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                       addrinfo** list) {
  if (fails(call::getaddrinfo)) return errno == EAGAIN ? EAI_AGAIN : EAI_MEMORY;
  weft::test::spared = true;
  const int result = __real_getaddrinfo(host, service, hints, list);
  weft::test::spared = false;
  return result;
}

long __real_syscall(long, ...);
long __wrap_syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& each : a) each = va_arg(list, long);
  va_end(list);
  const bool refuse =
      (number == SYS_process_madvise && fails(call::process_madvise)) ||
      (number == SYS_futex && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET && fails(call::futex)) ||
      (number == SYS_membarrier && fails(call::membarrier));
  if (number == SYS_process_madvise && weft::test::old_kernel) {
    errno = ENOSYS;
    return -1;
  }
  return refuse ? -1 : __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
}

// The allocator, of everybody in the process: glibc calls these, too.
namespace {
constinit std::atomic<long> live{0};

void* counted_block(void* made) noexcept {
  if (made) live.fetch_add(1, std::memory_order_relaxed);
  return made;
}
}  // namespace

long weft::test::live_blocks() noexcept {
  return live.load(std::memory_order_relaxed);
}

extern "C" {
void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;
void __libc_free(void*) noexcept;

void* malloc(std::size_t n) noexcept {
  return fails(call::malloc) ? nullptr : counted_block(__libc_malloc(n));
}
void* calloc(std::size_t n, std::size_t each) noexcept {
  return fails(call::malloc) ? nullptr : counted_block(__libc_calloc(n, each));
}
void* realloc(void* old, std::size_t n) noexcept {
  if (fails(call::malloc)) return nullptr;
  void* const made = __libc_realloc(old, n);
  if (!old) counted_block(made);
  if (old && n == 0) live.fetch_sub(1, std::memory_order_relaxed);
  return made;
}
void* memalign(std::size_t alignment, std::size_t n) noexcept {
  return fails(call::malloc) ? nullptr : counted_block(__libc_memalign(alignment, n));
}
void* aligned_alloc(std::size_t alignment, std::size_t n) noexcept {
  return memalign(alignment, n);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t n) noexcept {
  const int before = errno;
  void* const made = memalign(alignment, n);
  errno = before;
  if (!made) return ENOMEM;
  *out = made;
  return 0;
}
void free(void* block) noexcept {
  if (block) live.fetch_sub(1, std::memory_order_relaxed);
  __libc_free(block);
}
}
