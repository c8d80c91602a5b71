// The n-th call of each function that can fail is made to fail, for every n or a spread of them.
// The library works all the same, or tells, or (where docs/stacks.md says so) ends the process with
// a line; it neither hangs nor loses fibers, and gives back what it took.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
#include <weft/weft.hpp>

#include "fault/child.hpp"

namespace weft::test {
namespace {
// WEFT_FAULT_FULL=1: each error, more fibers, more values of n. For ./dev soak.
bool full() {
  static const bool chosen = std::getenv("WEFT_FAULT_FULL") != nullptr;
  return chosen;
}

int fibers() {
  return full() ? 1000 : 250;
}

struct target {
  call which;
  std::vector<int> errors;  // the likeliest first
  int most = 12;            // values of n, in the short sweep
  // A line that the process may end with, where nothing else can be done; empty: none.
  const char* last_words = "";
  bool transient = false;  // cannot fail for ever
  bool old_kernel = false;
};

void PrintTo(const target& t, std::ostream* to) {
  *to << name_of(t.which);
}

void run_with_failures(child_report& r, call which, long n, int error, bool forever) {
  arm(which, n, error, forever);
  run_scenario(r.seen, fibers());
  r.injected = failed();
  for (unsigned i = 0; i < calls; ++i) r.counts[i] = counted(static_cast<call>(i));
  disarm();
}

// With the failures: in a process that has never run the library (cold), or in one that has (warm),
// where what it holds must come back to what it was.
void cold(child_report& r, call which, long n, int error, bool forever) {
  run_with_failures(r, which, n, error, forever);
  run_scenario(r.after, fibers());
  r.end = holdings_now();
}

bool grown(const holdings& a, const holdings& b) {
  return b.descriptors > a.descriptors || b.threads > a.threads || b.mappings > a.mappings ||
         b.blocks > a.blocks;
}

// So many stacks at once, of each size, that no scenario ever makes another: how many it uses at
// its peak is chance, and with an old kernel each has mappings of its own.
void use_stacks(int count) {
  runtime rt({.workers = 2});
  rt.run([count] {
    for (const std::size_t size : stack_sizes) {
      std::atomic<int> begun{0};
      std::vector<fiber> all;
      fiber_options options;
      options.stack_size = size;
      for (int i = 0; i < count; ++i) {
        all.emplace_back(options, [&] {
          ++begun;
          while (begun < count) this_fiber::yield();
        });
      }
      for (fiber& each : all) each.join();
    }
  });
}

// Caches fill up and stop growing; a leak grows each time.
void warm(child_report& r, call which, long n, int error, bool forever) {
  use_stacks(4 * fibers());
  run_scenario(r.after, fibers());
  run_scenario(r.after, fibers());
  r.before = holdings_now();
  for (r.rounds = 1;; ++r.rounds) {
    run_with_failures(r, which, n, error, forever);
    run_scenario(r.after, fibers());
    r.end = holdings_now();
    if (!grown(r.before, r.end) || r.rounds == 6) return;
    r.before = r.end;
  }
}

using body = void (*)(child_report&, call, long, int, bool);

class fault_sweep : public testing::TestWithParam<target> {
 protected:
  child_end run(body how, long n, int error, bool forever) {
    report_ = &shared_report();
    const call which = GetParam().which;
    ++children_;
    pretend_old_kernel(GetParam().old_kernel);
    return run_child(
        *report_, [=](child_report& r) { how(r, which, n, error, forever); }, forever ? 20 : 10);
  }

  // Those n whose failure is tried.
  std::vector<long> points(long calls_made) const {
    if (const char* only = std::getenv("WEFT_FAULT_N")) return {std::atol(only)};
    const long most = full() ? 400 : GetParam().most;
    std::vector<long> all;
    for (long i = 1; i <= std::min(calls_made, most / 2); ++i) all.push_back(i);
    const long rest = calls_made - most / 2;
    for (long i = 1; i <= most - most / 2 && rest > 0; ++i) {
      all.push_back(most / 2 + std::max(rest * i / (most - most / 2), 1L));
    }
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }

  void check(const child_end& end, const char* how, long n, int error, bool forever) {
    const target& t = GetParam();
    const findings& seen = report_->seen;
    SCOPED_TRACE(testing::Message()
                 << name_of(t.which) << ' ' << n << (forever ? " and all after: " : ": ")
                 << ::strerrorname_np(error) << ", " << how << "; " << seen.done << " steps done, "
                 << seen.told << " told, injected " << report_->injected << "; stderr:\n"
                 << end.errors);
    EXPECT_NE(end.how, child_end::hung);
    if (end.how == child_end::signalled && end.code == SIGABRT && *t.last_words &&
        end.errors.find(t.last_words) != std::string::npos) {
      ++ended_;
      return;
    }
    if (end.how == child_end::hung) return;
    EXPECT_EQ(end.how, child_end::exited) << "signal " << end.code;
    EXPECT_EQ(end.code, 0);
    EXPECT_EQ(seen.wrong, 0) << seen.fault;
    EXPECT_EQ(report_->after.wrong, 0) << "afterwards: " << report_->after.fault;
    EXPECT_EQ(report_->after.told, 0) << "afterwards: " << report_->after.text[0];
    for (int i = 0; i < std::min(seen.texts.load(), 24); ++i) check_text(seen.text[i]);
    told_ += seen.told;
  }

  // Exhaustion names a limit.
  static void check_text(const char* text) {
    for (const int error : {ENOMEM, EMFILE, ENFILE, EAGAIN}) {
      const char* what = std::strerror(error);
      const char* at = std::strstr(text, what);
      if (!at || at == text) continue;  // alone: of a call with a POSIX name
      bool teaches = false;
      for (const char* knob : {"RLIMIT_", "ulimit", "max_map_count", "control group", "cgroup",
                               "fs.", "sysctl", "fewer fibers", "memory for", "PTHREAD_KEYS_MAX"}) {
        teaches = teaches || std::strstr(text, knob);
      }
      EXPECT_TRUE(teaches) << text;
    }
    if (std::getenv("WEFT_FAULT_TEXTS")) std::printf("    told: %s\n", text);
  }

  // Each failure, in a process of its own that must come to a good end; `look` sees what is left.
  template <class Look>
  void sweep(body process, const char* name, Look look) {
    const target& t = GetParam();
    const long made =
        report_->counts[static_cast<unsigned>(t.which)];  // by the run without failures
    for (const bool forever : {false, true}) {
      if (forever && t.transient) continue;
      for (const int error : t.errors) {
        if (!full() && error != t.errors.front()) continue;
        for (const long n : points(made)) {
          if (HasFailure()) return;
          const child_end end = run(process, n, error, forever);
          check(end, name, n, error, forever);
          if (end.how == child_end::exited) look(n);
        }
      }
    }
    std::printf("    %s: %ld calls, %d children, %ld failures told, %d ended by the library\n",
                name_of(t.which), made, children_, told_, ended_);
  }

  child_report* report_ = nullptr;
  int children_ = 0;
  int ended_ = 0;
  long told_ = 0;
};

TEST_P(fault_sweep, cold_process) {
  check(run(cold, 0, 0, false), "no failure", 0, ENOMEM, false);
  ASSERT_EQ(report_->seen.told, 0) << report_->seen.text[0];
  const holdings usual = report_->end;
  ASSERT_GT(report_->counts[static_cast<unsigned>(GetParam().which)], 0)
      << "the scenario does not call it";
  sweep(cold, "cold", [&](long n) {
    EXPECT_EQ(report_->end.descriptors, usual.descriptors) << "n = " << n;
    // Those of the default runtime, which may or may not have needed a spare for blocking().
    EXPECT_LE(report_->end.threads, usual.threads + callers_of_blocking) << "n = " << n;
  });
}

// Of what is called once in a process's life, in the cold sweep, there is nothing to fail here.
TEST_P(fault_sweep, warm_process) {
  check(run(warm, 0, 0, false), "no failure", 0, ENOMEM, false);
  sweep(warm, "warm", [&](long n) {
    const holdings& a = report_->before;
    const holdings& b = report_->end;
    EXPECT_FALSE(grown(a, b)) << "each of " << report_->rounds << " rounds took more; n = " << n
                              << ": descriptors " << a.descriptors << ' ' << b.descriptors
                              << ", threads " << a.threads << ' ' << b.threads << ", mappings "
                              << a.mappings << ' ' << b.mappings << ", heap blocks " << a.blocks
                              << ' ' << b.blocks;
  });
}

constexpr const char* no_stack = "has no stack and nothing else can run to free one";

const target targets[] = {
    {call::mmap, {ENOMEM, EAGAIN}, 12, no_stack},
    {call::munmap, {ENOMEM}},
    {call::mprotect, {ENOMEM}},
    {call::mprotect, {ENOMEM, EACCES}, 12, no_stack, false, true},
    {call::mmap, {ENOMEM}, 12, no_stack, false, true},
    {call::madvise, {ENOMEM, EINVAL, EAGAIN}, 12, no_stack},
    {call::process_madvise, {ENOMEM, EPERM, EINVAL, EINTR, ENOSYS}},
    {call::epoll_create1, {EMFILE, ENFILE, ENOMEM}},
    {call::epoll_ctl, {ENOSPC, ENOMEM}},
    {call::epoll_wait, {EINTR}, 12, "", true},
    {call::epoll_wait, {EBADF}, 4, "did the program close a descriptor that is not its own"},
    {call::epoll_pwait2, {ENOSYS, EPERM}},
    {call::epoll_pwait2, {EINTR}, 12, "", true},
    {call::eventfd, {EMFILE, ENFILE, ENOMEM}},
    {call::pthread_create, {EAGAIN, EPERM}},
    {call::pthread_key_create, {EAGAIN, ENOMEM}},
    {call::sigaltstack, {ENOMEM, EPERM}},
    {call::sigaction, {EINVAL}},
    {call::atexit, {ENOMEM}},
    {call::socket, {EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM}},
    {call::socketpair, {EMFILE, ENFILE, ENOMEM}},
    {call::pipe2, {EMFILE, ENFILE}},
    {call::accept4, {EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM}},
    {call::accept4, {EINTR, ECONNABORTED}, 12, "", true},
    {call::connect, {EAGAIN, EADDRNOTAVAIL, EPERM, EINTR, ENOBUFS}},
    {call::open, {EMFILE, ENFILE}},
    {call::futex, {EINTR}, 12, "", true},
    {call::membarrier, {EPERM, ENOSYS}},
    {call::getaddrinfo, {ENOMEM, EAGAIN}},
    {call::malloc, {ENOMEM}, 250},
};
INSTANTIATE_TEST_SUITE_P(calls, fault_sweep, testing::ValuesIn(targets), [](const auto& each) {
  return std::string(name_of(each.param.which)) + '_' +
         ::strerrorname_np(each.param.errors.front()) +
         (each.param.old_kernel ? "_old_kernel" : "");
});
}  // namespace
}  // namespace weft::test
