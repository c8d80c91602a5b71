// WEFT_TRACE: what is in the file, and that it is sound however the process ends. Each test runs a
// victim, one of the disabled tests of trace_victim_test.cpp, in a process of its own.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <regex>
#include <string>

#include "support/process.hpp"

namespace weft::test {
namespace {
class trace : public testing::Test {
 protected:
  trace() {
    char pattern[] = "/tmp/weft-trace-XXXXXX";
    folder = ::mkdtemp(pattern);
    file = folder + "/t.json";
  }
  ~trace() override { std::filesystem::remove_all(folder); }

  ended run_victim(const std::string& which, const std::string& more = "") const {
    // Some end in the middle of a test: what gtest has allocated is no leak.
    return shell("ASAN_OPTIONS=detect_leaks=0 WEFT_TRACE='" + file + "' " + more + " " +
                 own_command() + only("trace_victim.DISABLED_" + which) + "--gtest_brief=1");
  }

  // The check fails for whatever a viewer could not show.
  static ended check(const std::string& path) {
    // An emulator takes microseconds to read a clock, and may be preempted each time.
    ended seen = shell(std::string(TRACE_CHECK) + " '" + path + (emulated() ? "' 1000" : "'"));
    EXPECT_EQ(seen.status, 0) << seen.output;
    return seen;
  }

  std::string folder;
  std::string file;
};

TEST_F(trace, shows_what_fibers_do) {
  const ended ran = run_victim("things");
  EXPECT_EQ(ran.status, 0) << ran.output;
  const ended seen = check(file);
  for (const char* expected : {
           "X sleeper \"ü\\ #N until=sleep",
           "X sleeper \"ü\\ #N after=sleep, timed out until=end",
           "X spawn reader #N by=#N",
           "X reader #N until=readable fd N",
           "X reader #N after=readable fd N until=end",
           "X poller #N until=io::poll",
           "X poller #N after=io::poll until=end",
           "X wake fibers=",
           "X wake stopped #N from=sleep, canceled by=#N",
           "X stopped #N after=sleep, canceled until=end",
           "X where.cpp:12 #N until=join #N",
           "X wake where.cpp:12 #N from=join #N by=#N",
           "X weft::run #N until=yield",
           "X spawn weft::run #N by=a thread",
           "X caller #N until=blocking",
           "X blocking() of caller #N",
           "X caller #N until=end",
           "M thread_name name=weft-w0",
           "M thread_name name=weft-w1",
           "C ready on worker ",
           "X watch ",
       }) {
    EXPECT_TRUE(seen.has(expected)) << expected << "\n" << seen.output;
  }
}

TEST_F(trace, ends_well_however_the_process_does) {
  for (const char* how : {"exit", "quick_exit", "_exit", "abort", "kill"}) {
    const ended ran = run_victim("dies", std::string("VICTIM_END=") + how);
    SCOPED_TRACE(how);
    const ended seen = check(file);
    EXPECT_TRUE(seen.has("X reader #N until=readable fd N")) << seen.output << ran.output;
    EXPECT_TRUE(seen.has("B busy #N until=the end of the trace")) << seen.output;
  }
}

TEST_F(trace, of_the_default_runtime_and_of_static_ones) {
  const ended ran = run_victim("default_runtime_and_statics");
  EXPECT_EQ(ran.status, 0) << ran.output;
  const ended seen = check(file);
  // A third one where the trace ends after the runtime of the last static.
  for (const char* expected :
       {"X spawn weft::run #N by=a thread x[23]", "X weft::run #N (after=join #N )?until=end"}) {
    EXPECT_TRUE(std::regex_search(seen.output, std::regex(expected))) << seen.output;
  }
}

TEST_F(trace, is_the_parents_when_the_process_forks) {
  const ended ran = run_victim("forks");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_FALSE(std::regex_search(ran.output, std::regex("weft: (?!chaos mode)"))) << ran.output;
  const ended seen = check(file);
  for (const char* once : {"X afterwards #N", "X later1 #N", "X later2 #N", "X later3 #N"}) {
    EXPECT_TRUE(seen.has(std::string(once) + " until=end x1")) << once << "\n" << seen.output;
  }
  EXPECT_TRUE(seen.has("X before #N until=end x3")) << seen.output;
}

TEST_F(trace, is_not_written_over_by_a_child_with_the_same_environment) {
  const ended ran = run_victim("runs_itself");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_TRUE(ran.has("weft: trace: WEFT_TRACE: another process writes its trace to " + file))
      << ran.output;
  EXPECT_TRUE(check(file).has("X afterwards #N until=end x1"));
}

TEST_F(trace, has_a_file_for_each_process) {
  file = folder + "/%p.json";
  const ended ran = run_victim("runs_itself");
  EXPECT_EQ(ran.status, 0) << ran.output;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ++files;
    check(entry.path().string());
  }
  EXPECT_EQ(files, 2);
}

TEST_F(trace, of_several_runtimes) {
  const ended ran = run_victim("several_runtimes");
  EXPECT_EQ(ran.status, 0) << ran.output;
  const ended seen = check(file);
  EXPECT_TRUE(seen.has("name=weft-w0 of runtime N x3")) << seen.output;
  EXPECT_TRUE(seen.has("X other's #N until=end x1")) << seen.output;
}

TEST_F(trace, stops_at_its_limit_and_says_so) {
  const ended ran = run_victim("many_events", "WEFT_TRACE_LIMIT=100K");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_TRUE(ran.has("weft: trace: " + file + " has reached WEFT_TRACE_LIMIT, 102400 bytes"))
      << ran.output;
  EXPECT_LT(std::filesystem::file_size(file), 100u * 1024 + 4096);
  EXPECT_TRUE(check(file).has("the trace ends here"));
}

TEST_F(trace, that_cannot_be_written_is_told_once_and_changes_nothing) {
  file = folder + "/no/such/t.json";
  const ended ran = run_victim("several_runtimes");
  EXPECT_EQ(ran.status, 0) << ran.output;
  const std::string line = "weft: trace: WEFT_TRACE: " + file +
                           " cannot be opened: No such file or directory; nothing is traced\n";
  EXPECT_NE(ran.output.find(line), std::string::npos) << ran.output;
  EXPECT_EQ(ran.output.find("weft:", ran.output.find(line) + 1), std::string::npos) << ran.output;
}

TEST_F(trace, on_a_full_disk_ends_with_one_line) {
  file = "/dev/full";
  const ended ran = run_victim("things");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_TRUE(ran.has("weft: trace: /dev/full cannot be written: No space left on device"))
      << ran.output;
}

TEST_F(trace, refuses_a_limit_that_is_none) {
  for (const char* limit : {"1K", "x", "12Q", "-1"}) {
    const ended ran = run_victim("things", std::string("WEFT_TRACE_LIMIT=") + limit);
    EXPECT_EQ(ran.status, 0) << ran.output;
    EXPECT_TRUE(ran.has(std::string("weft: trace: WEFT_TRACE_LIMIT is \"") + limit)) << ran.output;
    EXPECT_FALSE(std::filesystem::exists(file));
  }
}
}  // namespace
}  // namespace weft::test
