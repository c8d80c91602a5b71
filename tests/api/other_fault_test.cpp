// Faults that are no stack overflow go where they would have gone without weft, and nothing is
// reported. Each runs in a child process.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "support/death.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using testing::ExitedWithCode;
using testing::KilledBySignal;

class other_fault : public faults_in_a_child {};

int* volatile nowhere = nullptr;

TEST_F(other_fault, of_a_null_pointer) {
  EXPECT_EXIT(run([] { *nowhere = 1; }), KilledBySignal(SIGSEGV), "^" + and_no_more());
}

TEST_F(other_fault, reaches_the_previous_plain_handler) {
  EXPECT_EXIT(
      {
        std::signal(SIGSEGV, [](int signal) { ::_exit(signal == SIGSEGV ? 9 : 1); });
        run([] { *nowhere = 1; });
      },
      ExitedWithCode(9), "^$");
}

TEST_F(other_fault, comes_with_its_address_and_the_mask_asked_for_and_may_be_mended) {
  static char* page;
  static std::atomic<int> faults;
  const auto mend = [](int, siginfo_t* info, void* context) {
    sigset_t now;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
    const bool as_asked = ::sigismember(&now, SIGPROF) && !::sigismember(&now, SIGSEGV);
    if (info->si_addr != page + 5 || !context || !as_asked) ::_exit(1);
    ++faults;
    ::mprotect(page, 4096, PROT_READ | PROT_WRITE);
  };
  EXPECT_EXIT(
      {
        page = static_cast<char*>(
            ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        struct sigaction mine {};
        mine.sa_sigaction = mend;
        mine.sa_flags = SA_SIGINFO | SA_NODEFER;
        ::sigaddset(&mine.sa_mask, SIGPROF);  // which carriers do not block themselves
        ::sigaction(SIGSEGV, &mine, nullptr);
        run([] {
          page[5] = 1;
          ::mprotect(page, 4096, PROT_NONE);
          page[5] = 2;
        });
        std::_Exit(faults == 2 ? 10 : 2);
      },
      ExitedWithCode(10), "^$");
}

TEST_F(other_fault, of_a_thread_outside) {
  EXPECT_EXIT(
      {
        std::signal(SIGSEGV, [](int) { ::_exit(11); });
        runtime rt({.workers = 1});
        std::thread([] { *nowhere = 1; }).join();
      },
      ExitedWithCode(11), "^$");
  EXPECT_EXIT(
      {
        runtime rt({.workers = 1});
        *nowhere = 1;
      },
      KilledBySignal(SIGSEGV), "^" + and_no_more());
}

TEST_F(other_fault, a_signal_that_was_sent_kills_or_is_ignored) {
  EXPECT_EXIT(run([] { std::raise(SIGSEGV); }), KilledBySignal(SIGSEGV), "^" + and_no_more());
  EXPECT_EXIT(
      {
        std::signal(SIGSEGV, SIG_IGN);
        run([] { std::raise(SIGSEGV); });
        std::_Exit(12);
      },
      ExitedWithCode(12), "^$");
}

// Past the top of one stack lies the guard of the next: a fault there is no overflow of either.
TEST_F(other_fault, an_array_overrun_into_the_next_guard) {
  EXPECT_EXIT(run([] {
                volatile char local[16];
                volatile char* at = local;
                asm("" : "+r"(at));  // it may be anything now
                for (;; ++at) *at = *at;
              }),
              KilledBySignal(SIGSEGV), "^" + and_no_more());
}

TEST_F(other_fault, a_wild_pointer_into_the_own_guard) {
  EXPECT_EXIT(run([] {
                volatile char local[16];
                volatile char* at = local;
                asm("" : "+r"(at));  // it may be anything now
                for (;; --at) *at = *at;
              }),
              KilledBySignal(SIGSEGV), "^" + and_no_more());
}
}  // namespace
}  // namespace weft::test
