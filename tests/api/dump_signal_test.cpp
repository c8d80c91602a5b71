// WEFT_DUMP_SIGNAL: a process that hangs is asked from outside. Each runs in a child process.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "support/descriptors.hpp"
#include "support/dumps.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using testing::ExitedWithCode;

class dump_signal : public testing::Test {
 protected:
  dump_signal() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// In the child: what is written to stderr comes here first.
class stderr_reader {
 public:
  stderr_reader() {
    if (::pipe(pipe_) != 0) std::abort();
    real_ = ::dup(2);
    ::dup2(pipe_[1], 2);
  }
  // Reads until the pattern has occurred so many times.
  void read_until(const std::string& pattern, int times = 1) {
    const std::regex one(pattern);
    const auto found = [&] {
      return std::distance(std::sregex_iterator(all_.begin(), all_.end(), one), {});
    };
    while (found() < times) {
      char part[4096];
      const ssize_t n = ::read(pipe_[0], part, sizeof part);
      if (n <= 0) std::_Exit(1);
      all_.append(part, static_cast<std::size_t>(n));
    }
  }
  // Then shows it all to the parent, and ends the process.
  [[noreturn]] void pass_on_until(const std::string& pattern, int times = 1) {
    read_until(pattern, times);
    [[maybe_unused]] const auto written = ::write(real_, all_.data(), all_.size());
    std::_Exit(0);
  }

 private:
  std::string all_;
  int pipe_[2];
  int real_;
};

void ask(int signal) {
  ::kill(::getpid(), signal);
}

[[noreturn]] void ask_again_and_again() {
  for (;;) {
    ask(SIGUSR2);
    std::this_thread::sleep_for(1ms);
  }
}

TEST_F(dump_signal, while_every_worker_computes_without_end) {
  EXPECT_EXIT(
      {
        ::setenv("WEFT_DUMP_SIGNAL", "SIGUSR2", 1);
        stderr_reader reader;
        runtime rt({.workers = 2});
        std::atomic<int> busy{0};
        const auto spin = [&] {
          ++busy;
          for (;;) busy.load();
        };
        const fiber a(on(rt), spin);
        const fiber b(on(rt), spin);
        until([&] { return busy == 2; });
        // A dump does without the stack of a thread that gets no CPU for too long.
        std::thread asker(ask_again_and_again);
        reader.read_until("\n[0-9]+ fibers: 2 running\n");
        reader.pass_on_until("running on worker [01]; [^\n]*\n    #0 [^ \n]*weft_api_tests\\+0x",
                             2);
      },
      ExitedWithCode(0),
      "running on worker [01]; [^\n]*\n    #0 [^ \n]*weft_api_tests\\+0x.*"
      "running on worker [01]; [^\n]*\n    #0 [^ \n]*weft_api_tests\\+0x");
}

TEST_F(dump_signal, while_everything_sleeps_and_the_program_has_the_signal_blocked) {
  EXPECT_EXIT(
      {
        ::setenv("WEFT_DUMP_SIGNAL", "10", 1);  // SIGUSR1
        stderr_reader reader;
        runtime rt({.workers = 2});
        const fiber sleeper(on(rt), [] { this_fiber::sleep_for(1h); });
        until_parked(rt, 1);
        std::this_thread::sleep_for(200ms);  // so that the monitor rests, most probably
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
        ask(SIGUSR1);
        reader.pass_on_until("\n1 fibers: 1 parked\n");
      },
      ExitedWithCode(0), "fiber [0-9]+ parked for [0-9.]+ s: sleep, ");
}

TEST_F(dump_signal, again_and_again) {
  EXPECT_EXIT(
      {
        ::setenv("WEFT_DUMP_SIGNAL", "USR2", 1);
        stderr_reader reader;
        runtime rt({.workers = 1});
        fiber sleeper(on(rt), [] { this_fiber::sleep_for(1h); });
        until_parked(rt, 1);
        std::thread asker(ask_again_and_again);
        reader.pass_on_until("1 fibers: 1 parked\n", 3);
      },
      ExitedWithCode(0), "");
}

TEST_F(dump_signal, that_does_not_exist_is_refused) {
  for (const char* name : {"SIGUSR3", "0", "4711", "SIGKILL", "SIGURG"}) {
    EXPECT_EXIT(
        {
          ::setenv("WEFT_DUMP_SIGNAL", name, 1);
          const thrown result = thrown_by([] { const runtime rt({.workers = 1}); });
          std::fprintf(stderr, "%s", result.text.c_str());
          std::_Exit(result.code.value() == EINVAL ? 0 : 1);
        },
        ExitedWithCode(0), std::string("WEFT_DUMP_SIGNAL is \"") + name + "\"; it must be");
  }
}

TEST_F(dump_signal, that_the_program_handles_is_left_to_it) {
  EXPECT_EXIT(
      {
        ::setenv("WEFT_DUMP_SIGNAL", "SIGUSR2", 1);
        std::signal(SIGUSR2, [](int) { std::_Exit(5); });
        const runtime rt({.workers = 1});
        ask(SIGUSR2);
        for (;;) std::this_thread::sleep_for(1s);
      },
      ExitedWithCode(5), "but the program handles that signal itself");
}
}  // namespace
}  // namespace weft::test
