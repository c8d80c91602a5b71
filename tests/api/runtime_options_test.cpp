// Options out of range, the default runtime and its environment, and what the
// counters say.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/chaotic.hpp"
#include "support/descriptors.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using testing::ExitedWithCode;

thrown made_with(const runtime_options& options) {
  return thrown_by([&] { runtime rt(options); });
}

TEST(runtime_options, out_of_range_names_option_and_range) {
  struct bad {
    runtime_options options;
    const char* name;
  };
  const bad all[] = {
      {{.workers = 1025}, "runtime_options::workers is 1025"},
      {{.workers = ~0u}, "runtime_options::workers is 4294967295"},
      {{.workers = 1, .stack_size = 0}, "runtime_options::stack_size"},
      {{.workers = 1, .stack_size = std::size_t{1} << 40}, "64 MiB"},
      {{.workers = 1, .stack_size = ~std::size_t{0}}, "64 MiB"},
      {{.workers = 1, .max_blocking = 0}, "runtime_options::max_blocking is 0"},
      {{.workers = 1, .max_blocking = 4097}, "runtime_options::max_blocking is 4097"},
  };
  for (const bad& one : all) {
    const thrown error = made_with(one.options);
    EXPECT_EQ(error.code, std::errc::invalid_argument) << one.name;
    EXPECT_NE(error.text.find(one.name), std::string::npos) << error.text;
  }
}

TEST(runtime_options, none_mean_the_usable_cpus) {
  runtime rt;
  EXPECT_EQ(rt.workers(), fiber::hardware_concurrency());
}

TEST(runtime_options, stack_sizes) {
  const auto use = [](std::size_t bytes) {
    volatile char* const bottom = static_cast<char*>(__builtin_alloca(bytes));
    for (std::size_t i = 0; i < bytes; i += 1000) bottom[i] = 1;
    return bottom[0];
  };
  for (const std::size_t size :
       {std::size_t{16} << 10, std::size_t{1} << 20, std::size_t{64} << 20}) {
    runtime rt({.workers = 1, .stack_size = size});
    EXPECT_EQ(rt.run([&] { return use(size - 8 * 1024); }), 1) << size;
    fiber_options large = on(rt);
    large.stack_size = 2 << 20;
    fiber f(large, [&] { use((2 << 20) - 8 * 1024); });
    f.join();
    fiber_options absurd = on(rt);
    absurd.stack_size = std::size_t{1} << 50;
    EXPECT_EQ(thrown_by([&] { fiber g(absurd, [] {}); }).code, std::errc::invalid_argument);
    fiber_options tiny = on(rt);
    tiny.stack_size = 1;
    fiber(tiny, [] { this_fiber::yield(); }).join();  // rounded up
    EXPECT_EQ(rt.run([] { return 1; }), 1) << "usable afterwards";
  }
}

TEST(runtime_options, no_descriptors_left_is_told) {
  if (sanitized) GTEST_SKIP() << "UBSan makes a pipe to learn whether an object may be looked at";
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit few{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const thrown error = made_with({.workers = 1});
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_EQ(error.code, std::errc::too_many_files_open);
  EXPECT_NE(error.text.find("RLIMIT_NOFILE"), std::string::npos) << error.text;
  EXPECT_EQ(made_with({.workers = 1}).text, "") << "usable afterwards";
}

class default_runtime : public testing::Test {
 protected:
  default_runtime() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// The workers that ran fibers of the default runtime: there must be as many kernel threads as asked
// for. Returns only when so many have been there at once, however late some of them get a CPU.
unsigned threads_of_default(unsigned expected) {
  std::atomic<unsigned> inside{0};
  std::atomic<unsigned> most{0};
  std::vector<fiber> fibers;
  for (int i = 0; i < 64; ++i) {
    fibers.emplace_back([&] {
      ++inside;
      const auto end = std::chrono::steady_clock::now() + 20ms;
      while (most < expected || std::chrono::steady_clock::now() < end) {
        const unsigned now = inside;
        for (unsigned seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
      }
      --inside;
    });
  }
  for (fiber& f : fibers) f.join();
  return most;
}

TEST_F(default_runtime, obeys_the_environment) {
  EXPECT_EXIT(
      {
        ::setenv("WEFT_WORKERS", "3", 1);
        configure_default({.workers = 1});
        std::exit(static_cast<int>(threads_of_default(3)));
      },
      ExitedWithCode(3), "");
}

TEST_F(default_runtime, obeys_configure_default) {
  EXPECT_EXIT(
      {
        ::unsetenv("WEFT_WORKERS");
        configure_default({.workers = 4});
        std::exit(static_cast<int>(threads_of_default(4)));
      },
      ExitedWithCode(4), "");
}

TEST_F(default_runtime, refuses_to_be_configured_late) {
  run([] {});
  EXPECT_THROW(configure_default({}), std::logic_error);
}

TEST_F(default_runtime, refuses_nonsense_in_the_environment) {
  for (const char* value : {"0", "x", "2x", "-1", "1025", "99999999999999999999"}) {
    EXPECT_EXIT(
        {
          ::setenv("WEFT_WORKERS", value, 1);
          const thrown error = thrown_by([] { run([] {}); });
          std::fprintf(stderr, "%s\n", error.text.c_str());
          ::setenv("WEFT_WORKERS", "1", 1);
          std::exit(run([] { return 7; }));  // it can be made at the next try
        },
        ExitedWithCode(7), "WEFT_WORKERS is \".*\"; it must be a number from 1 to 1024");
  }
}

TEST(runtime_stats, agree_with_what_happened) {
  if (chaotic()) GTEST_SKIP() << "chaos mode: the monitor makes calls that nobody asked for";
  runtime rt({.workers = 1});
  rt.run([&] {
    const runtime_stats before = rt.stats();
    EXPECT_EQ(before.fibers_alive, 1u);
    EXPECT_EQ(before.fibers_running, 1u);
    EXPECT_EQ(before.fibers_ready, 0u);
    EXPECT_EQ(before.fibers_parked, 0u);
    std::vector<fiber> sleepers;
    for (int i = 0; i < 10; ++i) {
      sleepers.emplace_back([] { canceled([] { this_fiber::sleep_for(1h); }); });
    }
    EXPECT_EQ(rt.stats().fibers_ready, 10u);
    until_parked(rt, 10);
    const runtime_stats parked = rt.stats();
    EXPECT_EQ(parked.fibers_alive, 11u);
    EXPECT_EQ(parked.fibers_ready, 0u);
    EXPECT_EQ(parked.fibers_spawned, 11u);
    EXPECT_GE(parked.switches, before.switches + 10);
    EXPECT_GE(parked.stacks_in_use, 11u);
    EXPECT_GT(parked.stack_bytes_mapped, 11u * 256 * 1024);
    EXPECT_STRNE(parked.guard_tier, "none yet");
    sleepers.clear();
    EXPECT_EQ(rt.stats().fibers_alive, 1u);
    const runtime_stats quiet = rt.stats();
    const fd_pair p = make_socketpair();
    char c;
    write(p[1], "x");
    io::read(p[0], &c, 1);
    const runtime_stats after = rt.stats();
    EXPECT_EQ(after.syscalls.read, quiet.syscalls.read + 1);
    EXPECT_EQ(after.syscalls.write, quiet.syscalls.write + 1);
    EXPECT_EQ(after.syscalls.epoll_ctl, quiet.syscalls.epoll_ctl) << "nothing waited";
  });
}

TEST(runtime_stats, are_sane_while_fibers_move_on) {
  runtime rt({.workers = 4});
  std::atomic<bool> done{false};
  fiber churn(on(rt), [&] {
    while (!done) {
      std::vector<fiber> fibers;
      for (int i = 0; i < 50; ++i) fibers.emplace_back([] { this_fiber::yield(); });
      for (fiber& f : fibers) f.join();
    }
  });
  runtime_stats last;
  for (int i = 0; i < 2000; ++i) {
    const runtime_stats s = rt.stats();
    // Ends are read before spawns: those that are spawned in between count twice.
    ASSERT_LE(s.fibers_alive, 51 + s.fibers_spawned - last.fibers_spawned);
    ASSERT_EQ(s.fibers_running + s.fibers_ready + s.fibers_parked, s.fibers_alive);
    ASSERT_GE(s.switches, last.switches);
    ASSERT_GE(s.fibers_spawned, last.fibers_spawned);
    last = s;
  }
  done = true;
}
}  // namespace
}  // namespace weft::test
