// A dump on request from outside. The handler only posts a semaphore, which a signal handler may; a
// thread of its own writes the dump. Not the monitor: there is one for each runtime, it has other
// duties while somebody reads the pipe slowly, and it may be what hangs. It leaves the signal open
// itself, in case that every other thread of the program has it blocked.
#include "debug/dump_signal.hpp"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "base/environment.hpp"
#include "base/errno.hpp"
#include "base/fatal.hpp"
#include "debug/dump.hpp"

namespace weft::detail {
namespace {
sem_t wanted;  // initialised before the handler is installed

void on_signal(int) {
  const int before = errno;
  ::sem_post(&wanted);
  errno = before;
}

void* write_dumps(void*) {
  ::pthread_setname_np(::pthread_self(), "weft-dump");
  for (;;) {
    if (::sem_wait(&wanted) != 0) continue;
    while (::sem_trywait(&wanted) == 0) {  // several requests, one dump
    }
    dump_fibers(STDERR_FILENO, nullptr, dump_detail::grouped);
  }
}

// 0: none. "SIGUSR2", "USR2" or "12".
int signal_of(const char* text) noexcept {
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  if (end != text && *end == 0)
    return number > 0 && number <= SIGRTMAX ? static_cast<int>(number) : 0;
  const char* const name = std::strncmp(text, "SIG", 3) == 0 ? text + 3 : text;
  for (int i = 1; i < SIGRTMIN; ++i) {
    const char* const known = ::sigabbrev_np(i);
    if (known && std::strcmp(known, name) == 0) return i;
  }
  return 0;
}

bool start_thread(int signal) noexcept {
  sigset_t others;
  sigset_t before;
  ::sigfillset(&others);
  ::sigdelset(&others, signal);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) {
    ::sigdelset(&others, fault);
  }
  ::pthread_sigmask(SIG_SETMASK, &others, &before);
  pthread_t thread;
  const int error = ::pthread_create(&thread, nullptr, write_dumps, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error == 0) ::pthread_detach(thread);
  return error == 0;
}

bool install() {
  const char* const wish = environment("WEFT_DUMP_SIGNAL");
  if (!wish || !*wish) return false;
  const int signal = signal_of(wish);
  struct sigaction there {};
  struct sigaction ours {};
  ours.sa_handler = on_signal;
  ours.sa_flags = SA_RESTART | SA_ONSTACK;
  ::sigemptyset(&ours.sa_mask);
  if (signal == 0 || signal == SIGURG || ::sigaction(signal, nullptr, &there) != 0 ||
      signal == SIGKILL || signal == SIGSTOP || signal == SIGSEGV) {
    throw_system(EINVAL,
                 "weft: WEFT_DUMP_SIGNAL is \"%s\"; it must be a signal that a program may handle "
                 "and weft does not use itself, by name or number: SIGUSR2, USR2, 12",
                 wish);
  }
  if (there.sa_handler != SIG_DFL && there.sa_handler != SIG_IGN) {
    report("WEFT_DUMP_SIGNAL is %s, but the program handles that signal itself: choose another",
           wish);
    return false;
  }
  ::sem_init(&wanted, 0, 0);
  if (!start_thread(signal) || ::sigaction(signal, &ours, nullptr) != 0) {
    report("WEFT_DUMP_SIGNAL: there will be no dump on that signal, because no thread can be made");
    return false;
  }
  return true;
}
}  // namespace

void dump_on_signal() {
  static const bool installed = install();
  static_cast<void>(installed);
}
}  // namespace weft::detail
