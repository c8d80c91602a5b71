// A seed says all: the same text in another process, at other addresses, after another history; and
// what is left of a run whose process dies.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>
#include <weft/scope.hpp>
#include <weft/testing.hpp>

#include "support/explorations.hpp"
#include "support/fibers.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
using namespace std::chrono_literals;
using weft::testing::explore;
using weft::testing::explore_options;
using weft::testing::explore_result;
using weft::testing::point;

namespace {
// A bit of everything, none of it wrong, with an object's address in it.
void everything() {
  fiber_options named;
  named.name = "named";
  std::vector<fiber> all;
  for (int i = 0; i < 3; ++i) {
    all.emplace_back([i] {
      point("first");
      this_fiber::sleep_for(i * 1ms);
      this_fiber::yield();
    });
  }
  all.emplace_back(
      named, [](int n) { this_fiber::sleep_for(n * 1h); }, 2);  // a return address
  all.emplace_back([](std::stop_token stop) {
    const this_fiber::pin stay;
    const deadline_scope limit(2ms);
    try {
      while (!stop.stop_requested()) this_fiber::sleep_for(1ms);
    } catch (const deadline_exceeded&) {
    }
  });
  fiber([] { weft::blocking([] {}); }).detach();
  point();
  all[3].request_stop();
  for (fiber& f : all) f.join();
}

explore_result replayed(std::uint64_t seed) {
  explore_options options;
  options.print_to = -1;
  options.busy_clock = true;
  return testing::replay(seed, everything, options);
}

// What the process was busy with before.
void make_history(int fibers) {
  weft::run([fibers] {
    std::vector<fiber> all;
    for (int i = 0; i < fibers; ++i) all.emplace_back([] { this_fiber::yield(); });
    for (fiber& f : all) f.join();
  });
}

std::string between_marks(const std::string& text) {
  const auto from = text.find("<<");
  const auto to = text.find(">>");
  return from == std::string::npos || to == std::string::npos ? "" : text.substr(from, to - from);
}
}  // namespace

// The processor of a run has been a runtime's before, and keeps nothing of it.
TEST(explore_repeat, a_scope_after_a_runtime_that_used_scopes) {
  const auto three = [] {
    scope all;
    for (int i = 0; i < 3; ++i) all.spawn([] {});
    all.join();
  };
  runtime({.workers = 1}).run(three);
  const explore_result found = explore(three, 100);
  EXPECT_TRUE(found.ok()) << found.report;
}

TEST(explore_repeat, DISABLED_print) {
  const char* const fibers = std::getenv("HISTORY");
  make_history(fibers ? std::atoi(fibers) : 0);
  std::printf("<<");
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    std::printf("%s", replayed(seed).schedule.c_str());
  std::printf(">>\n");
}

TEST(explore_repeat, schedules_are_the_same_in_every_process) {
  std::string first;
  for (const std::string environment : {"", "HISTORY=1 ", "HISTORY=5000 ", "HISTORY=77 "}) {
    const ended process =
        shell(environment + own_command() + only("explore_repeat.DISABLED_print"));
    const std::string text = between_marks(process.output);
    EXPECT_GT(text.size(), 1000u) << process.output;
    if (first.empty()) first = text;
    EXPECT_EQ(text, first) << environment;
  }
}

TEST(explore_repeat, schedules_are_the_same_in_this_process) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const explore_result once = replayed(seed);
    EXPECT_TRUE(once.ok()) << once.report;
    EXPECT_TRUE(once.deterministic);
    make_history(static_cast<int>(seed));
    EXPECT_EQ(replayed(seed).schedule, once.schedule);
  }
  EXPECT_NE(replayed(1).schedule, replayed(3).schedule);
}

// Not even what the program sees of the library differs.
TEST(explore_repeat, ids_are_the_same_in_every_run) {
  const auto ids = [] {
    std::vector<fiber::id> seen;
    testing::explore(
        [&] {
          fiber f([] {});
          seen.push_back(this_fiber::get_id());
          seen.push_back(f.get_id());
        },
        1);
    make_history(10);
    return seen;
  };
  const auto once = ids();
  EXPECT_NE(once[0], once[1]);
  EXPECT_EQ(ids(), once);
}

TEST(explore_repeat, the_environment_chooses_seeds_and_a_file) {
  const std::string path = ::testing::TempDir() + "weft_schedule_" + std::to_string(::getpid());
  int runs = 0;
  ::setenv("WEFT_EXPLORE_SEEDS", "7", 1);
  testing::explore([&] { ++runs; }, 1000);
  EXPECT_EQ(runs, 7);
  ::setenv("WEFT_EXPLORE_SEED", "12", 1);
  ::setenv("WEFT_EXPLORE_FILE", path.c_str(), 1);
  explore_options options;
  options.print_to = -1;
  const explore_result found = testing::explore(everything, options);
  ::setenv("WEFT_EXPLORE_SEED", "a dozen", 1);
  EXPECT_THROW(testing::explore(everything, options), std::system_error);
  ::unsetenv("WEFT_EXPLORE_SEEDS");
  ::unsetenv("WEFT_EXPLORE_SEED");
  ::unsetenv("WEFT_EXPLORE_FILE");
  EXPECT_EQ(found.seed, 12u);
  EXPECT_EQ(found.runs, 1u);
  std::ifstream file(path);
  const std::string written{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(written, found.schedule);
  EXPECT_FALSE(written.empty());
  std::filesystem::remove(path);
}

TEST(explore_repeat, nonsense_in_the_environment_is_refused) {
  for (const char* wrong : {"-1", "x", "7x", "99999999999999999999"}) {
    ::setenv("WEFT_EXPLORE_SEEDS", wrong, 1);
    EXPECT_THROW(explore([] { weft::testing::check(false); }, quiet()), std::system_error) << wrong;
  }
  ::unsetenv("WEFT_EXPLORE_SEEDS");
}

TEST(explore_repeat, a_schedule_that_cannot_be_written_is_told) {
  explore_options options = quiet(1);
  options.print_lines = 1;
  options.schedule_file = "/dev/full";
  ::testing::internal::CaptureStderr();
  const auto found = explore([] { weft::testing::check(false); }, options);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find(
                "weft: the schedule cannot be written to /dev/full: No space left on device\n"),
            std::string::npos);
  EXPECT_EQ(found.report.find("/dev/full"), std::string::npos) << found.report;
}

// Their stacks are not painted, so what former fibers left there would count.
TEST(explore_repeat, stacks_are_not_measured) {
  ::setenv("WEFT_MEASURE_STACKS", "1", 1);
  explore(
      [] {
        fiber_options options;
        options.site = {"explored.cpp", 1};
        fiber(options, [] {}).join();
      },
      1);
  ::unsetenv("WEFT_MEASURE_STACKS");
  for (const stack_use_of_site& site : stack_use()) {
    EXPECT_FALSE(site.file && std::string(site.file) == "explored.cpp") << site.deepest;
  }
}

TEST(explore_repeat, DISABLED_dies) {
  testing::explore(
      [] {
        int n = 0;
        fiber other([&] { ++n; });
        point("before");
        if (n == 1) std::abort();  // as assert does
        other.join();
      },
      1000);
}

TEST(explore_repeat, a_run_whose_process_dies_says_which_it_was) {
  const ended process = shell(own_command() + only("explore_repeat.DISABLED_dies"));
  EXPECT_EQ(process.status, 128 + SIGABRT);
  for (const char* told : {"the process dies by signal 6 in fiber 1, step ",
                           "or WEFT_EXPLORE_SEED=", "is at a point \"before\""}) {
    EXPECT_TRUE(process.has(told)) << told << "\n" << process.output;
  }
}

TEST(explore_repeat_death, a_check_outside_of_a_run_aborts) {
  EXPECT_DEATH(testing::check(false, "told"), "explore_repeat_test.cpp:.* does not hold: told");
}
}  // namespace weft::test
