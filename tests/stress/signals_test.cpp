// Signals arrive on fibers' stacks while these are as small as they come, nearly full, and the
// vector registers are as large as the CPU has them. The kernel writes all of that to the stack.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "stress/time_box.hpp"
#include "support/sanitizer.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
std::atomic<long> profiled{0};
std::atomic<long> users{0};

void on_signal(int which) {
  const int before = errno;
  ::close(-1);  // leaves EBADF
  ++(which == SIGPROF ? profiled : users);
  errno = before;
}

class handler {
 public:
  explicit handler(int which) : which_(which) {
    struct sigaction act {};
    act.sa_handler = on_signal;  // without SA_ONSTACK: on whatever stack is in use
    act.sa_flags = SA_RESTART;
    ::sigemptyset(&act.sa_mask);
    ::sigaction(which, &act, &before_);
  }
  ~handler() { ::sigaction(which_, &before_, nullptr); }
  handler(const handler&) = delete;
  handler& operator=(const handler&) = delete;

 private:
  int which_;
  struct sigaction before_ {};
};

// Computes for a while with all vector registers full; false: one has changed.
#ifdef __x86_64__
[[gnu::noinline, gnu::target("avx512f")]] bool spin_wide(unsigned mark) {
  alignas(64) unsigned got[2][16];
  asm volatile(
      "vpbroadcastd %[mark], %%zmm0\n\t vpbroadcastd %[mark], %%zmm15\n\t"
      "vpbroadcastd %[mark], %%zmm16\n\t vpbroadcastd %[mark], %%zmm31\n\t"
      "mov $20000, %%ecx\n\t"
      "1: pause\n\t sub $16, %%ecx\n\t jnz 1b\n\t"
      "vpxord %%zmm0, %%zmm15, %%zmm15\n\t vpxord %%zmm16, %%zmm31, %%zmm31\n\t"
      "vpord %%zmm15, %%zmm31, %%zmm31\n\t"
      "vmovdqa32 %%zmm0, %[first]\n\t vmovdqa32 %%zmm31, %[second]\n\t"
      "vzeroupper"
      : [first] "=m"(got[0]), [second] "=m"(got[1])
      : [mark] "r"(mark)
      : "ecx", "cc", "xmm0", "xmm15", "xmm16", "xmm31", "memory");
  bool same = true;
  for (int i = 0; i < 16; ++i) same = same && got[0][i] == mark && got[1][i] == 0;
  return same;
}
bool has_wide() {
  return __builtin_cpu_supports("avx512f");
}
#else
bool spin_wide(unsigned) {
  return true;
}
bool has_wide() {
  return false;
}
#endif

[[gnu::noinline]] bool spin_plain(unsigned mark) {
  volatile double x = mark;
  for (int i = 0; i < 2000; ++i) x = x + 1.0;
  return x == mark + 2000.0;
}

// On the smallest stack there is, with most of what is promised beside a signal's frame in use.
[[gnu::noinline]] bool work_deep(unsigned mark, bool wide) {
  unsigned char use[9 * 1024];
  std::memset(use, static_cast<int>(mark & 0xff), sizeof use);
  asm volatile("" : : "r"(use) : "memory");
  const bool same = wide ? spin_wide(mark) : spin_plain(mark);
  asm volatile("" : : "r"(use) : "memory");
  for (const unsigned char each : use) {
    if (each != (mark & 0xff)) return false;
  }
  return same;
}

TEST(signals, on_the_smallest_stacks_with_wide_registers) {
  if (sanitized) GTEST_SKIP() << "instrumented frames do not fit beside a signal's";
  const auto broadcasts = static_cast<long>(amount("WEFT_BROADCASTS", 10'000));
  const bool wide = has_wide();
  const handler prof(SIGPROF);
  const handler user(SIGUSR1);
  watchdog dog;
  std::atomic<bool> done{false};
  std::atomic<long> wrong{0};
  runtime rt({.workers = 2});
  std::vector<fiber> fibers;
  for (unsigned i = 0; i < 32; ++i) {
    fiber_options smallest = on(rt);
    smallest.stack_size = 1;
    fibers.emplace_back(smallest, [&, i] {
      sigset_t only;
      ::sigemptyset(&only);
      ::sigaddset(&only, SIGUSR1);
      for (unsigned round = 0; !done; ++round) {
        ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);  // a worker's threads do not take it
        errno = static_cast<int>(i + 1);
        if (!work_deep(i * 1000003 + round, wide)) ++wrong;
        if (errno != static_cast<int>(i + 1)) ++wrong;
        if (round % 3 == 0) this_fiber::yield();
        if (round % 16 == 0) this_fiber::sleep_for(std::chrono::microseconds(50));
      }
    });
  }
  const itimerval each_ms{{0, 1000}, {0, 1000}};
  ::setitimer(ITIMER_PROF, &each_ms, nullptr);
  // The process's signal goes to any thread that takes it: this one does not.
  sigset_t only;
  sigset_t before;
  ::sigemptyset(&only);
  ::sigaddset(&only, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &only, &before);
  for (long i = 0; i < broadcasts; ++i) {
    ASSERT_EQ(::setuid(::getuid()), 0);  // every thread is interrupted to make the call as well
    if (i % 4 == 0) ::kill(::getpid(), SIGUSR1);
    dog.step();
  }
  done = true;
  for (fiber& f : fibers) f.join();
  const itimerval never{};
  ::setitimer(ITIMER_PROF, &never, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(profiled, 0);
  EXPECT_GT(users, 0);
  std::printf("%ld broadcasts, %ld SIGPROF, %ld SIGUSR1, %s registers\n", broadcasts,
              profiled.load(), users.load(), wide ? "512-bit" : "plain");
}
}  // namespace
}  // namespace weft::test
