// A kernel before Linux 6.13: a seccomp filter refuses the guards of madvise, or grants them
// without effect, as an emulator may. Guards are mappings of their own then, and the limit is
// vm.max_map_count: told before it is reached, with its value.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <vector>
#include <weft/weft.hpp>

#include "fault/child.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
constexpr unsigned advice_guard_install = 102;

// From now on madvise and process_madvise answer to guards with `error`; 0: "done", but nothing is.
bool refuse_guards(unsigned error) {
  const auto low_word = [](unsigned argument) {
    return static_cast<unsigned>(offsetof(seccomp_data, args)) + argument * 8;
  };
  const unsigned refuse = SECCOMP_RET_ERRNO | error;
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_madvise, 3, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_word(2)),
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_word(3)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, advice_guard_install, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, refuse),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

long max_map_count() {
  long value = 0;
  if (std::FILE* file = std::fopen("/proc/sys/vm/max_map_count", "r")) {
    if (std::fscanf(file, "%ld", &value) != 1) value = 0;
    std::fclose(file);
  }
  return value;
}

// Mappings that fault: guards, and the few of thread stacks.
long inaccessible_mappings() {
  long n = 0;
  char line[512];
  if (std::FILE* file = std::fopen("/proc/self/maps", "r")) {
    while (std::fgets(line, sizeof line, file)) n += std::strstr(line, " ---p ") != nullptr;
    std::fclose(file);
  }
  return n;
}

// Spawns until the library says that there are enough; each has begun, so it has a stack. All are
// ended and joined. The number of them.
long fill_up(child_report& r, runtime& rt) {
  return rt.run([&] {
    std::vector<fiber> all;
    long begun = 0;
    try {
      for (;;) {
        all.emplace_back([&begun] {
          ++begun;
          this_fiber::sleep_for(1h);
        });
        if (all.size() % 64 == 0) this_fiber::yield();
      }
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::not_enough_memory)
        r.seen.complain("code", error.code().value(), ENOMEM);
      r.seen.tell(error.what());
    }
    while (begun < static_cast<long>(all.size())) this_fiber::yield();
    r.counts[0] = inaccessible_mappings();
    for (fiber& f : all) f.request_stop();
    for (fiber& f : all) f.join();
    return begun;
  });
}

class old_kernel : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(guards_refused_with, old_kernel, testing::Values(EINVAL, 0u, EPERM),
                         [](const auto& each) {
                           return each.param == 0 ? "nothing" : ::strerrorname_np(int(each.param));
                         });

TEST_P(old_kernel, as_many_fibers_as_mappings_allow_and_then_an_error) {
  child_report& r = shared_report();
  const long real = max_map_count();
  // Where the machine allows far more than the kernel's default, the library is kept from knowing.
  const bool unknown = real > 100'000;
  const long maps = unknown ? 65530 : real;
  const child_end end = run_child(
      r,
      [unknown](child_report& report) {
        if (!refuse_guards(GetParam())) return report.seen.complain("seccomp", errno, 0);
        if (unknown) arm(call::open, 1, ENOENT, true);
        runtime rt({.workers = 1, .stack_size = 16 * 1024});
        report.counts[1] = fill_up(report, rt);
        const long guards = report.counts[0];
        report.counts[2] = fill_up(report, rt);  // on the stacks of the first ones
        report.counts[0] = guards;
      },
      60);
  ASSERT_EQ(end.how, child_end::exited) << end.code << end.errors;
  EXPECT_EQ(r.seen.wrong, 0) << r.seen.fault;
  const long expected = maps * 45 / 100 - 1;  // the one that spawns them
  EXPECT_EQ(r.counts[1], expected);
  EXPECT_EQ(r.counts[2], expected) << "the second time";
  if (maps >= 65530) {
    EXPECT_GE(r.counts[1], 29'000);
  }
  EXPECT_GE(r.counts[0], r.counts[1]) << "mappings that fault";
  EXPECT_EQ(r.seen.told, 2);
  const std::string text = r.seen.text[0];
  EXPECT_NE(text.find("vm.max_map_count = " + (unknown ? "" : std::to_string(maps))),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("allows " + std::to_string(expected + 1)), std::string::npos) << text;
  std::printf("    %ld fibers, %ld mappings that fault; then: %s\n", r.counts[1], r.counts[0],
              text.c_str());
}
}  // namespace
}  // namespace weft::test
