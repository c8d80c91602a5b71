#include "testing/dying.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>

#include "base/fatal.hpp"
#include "base/spin_lock.hpp"
#include "testing/exploration.hpp"

namespace weft::detail {
namespace {
constexpr std::array deadly{SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

constinit spin_lock lock;
constinit int living = 0;                              // guarded by lock
constinit struct sigaction previous[deadly.size()]{};  // written before ours is installed

// The text takes memory, which may be what is broken, or locked: so a child writes it, and gets two
// seconds. _Fork runs no handlers.
void write_schedule(const exploration& of) noexcept {
  const pid_t child = ::_Fork();
  if (child < 0) return;
  if (child == 0) {
    const std::string text = of.what_happened().text(40, "the rest is lost with the process");
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    ::_exit(0);
  }
  for (int i = 0; i < 200; ++i) {
    if (::waitpid(child, nullptr, WNOHANG) != 0) return;
    const timespec pause{0, 10'000'000};
    ::nanosleep(&pause, nullptr);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

void on_death(int signal, siginfo_t* info, void*) {
  for (std::size_t i = 0; i < deadly.size(); ++i) {
    if (deadly[i] == signal) ::sigaction(signal, &previous[i], nullptr);
  }
  if (const exploration* const dying = exploration_here()) {
    const auto seed = static_cast<unsigned long long>(dying->seed());
    report(
        "weft::testing: seed %llu: the process dies by signal %d in fiber %u, step %llu\n"
        "again: weft::testing::replay(%llu, f), or WEFT_EXPLORE_SEED=%llu in the environment",
        seed, signal, dying->running(),
        static_cast<unsigned long long>(dying->what_happened().steps() + 1), seed, seed);
    write_schedule(*dying);
  }
  // A fault repeats itself; what was sent is sent again, and comes when this handler returns.
  if (info->si_code <= 0) ::raise(signal);
}
}  // namespace

death_report::death_report() noexcept {
  const spin_guard guard(lock);
  if (living++ > 0) return;
  struct sigaction ours {};
  ours.sa_sigaction = on_death;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&ours.sa_mask);
  for (std::size_t i = 0; i < deadly.size(); ++i) {
    ::sigaction(deadly[i], nullptr, &previous[i]);
    ::sigaction(deadly[i], &ours, nullptr);
  }
}

death_report::~death_report() {
  const spin_guard guard(lock);
  if (--living > 0) return;
  for (std::size_t i = 0; i < deadly.size(); ++i) {
    struct sigaction now {};
    ::sigaction(deadly[i], nullptr, &now);
    if (now.sa_sigaction == on_death) ::sigaction(deadly[i], &previous[i], nullptr);
  }
}
}  // namespace weft::detail
