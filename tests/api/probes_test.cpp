// The static probes: the program carries them, and a tool that attaches to a running process sees
// what its fibers do from then on. gdb is such a tool; it needs a kernel that lets it trace.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "support/fibers.hpp"
#include "support/process.hpp"

namespace weft::test {
using namespace std::chrono_literals;

extern "C" [[gnu::noinline]] void probes_victim_is_ready() {
  asm volatile("");
}

namespace {
class probes : public testing::Test {
  void SetUp() override {
    if (!WEFT_TEST_PROBES) GTEST_SKIP() << "built without <sys/sdt.h>";
  }
};

TEST_F(probes, DISABLED_victim) {
  runtime rt({.workers = 1});
  rt.run([] {
    for (int i = 0; i < 1000; ++i) fiber([] { this_fiber::yield(); }).join();
    probes_victim_is_ready();
    // Until gdb has seen enough.
    for (;;) {
      fiber f([] { this_fiber::sleep_for(1ms); });
      f.join();
    }
  });
}

TEST_F(probes, are_in_the_program_with_their_arguments) {
  const std::string notes = shell("readelf --notes " + own_path()).output;
  struct {
    const char* name;
    int arguments;
  } const all[] = {{"spawn", 4}, {"run", 2},   {"stop", 3}, {"wake", 3},
                   {"steal", 3}, {"sleep", 2}, {"awake", 2}};
  for (const auto& probe : all) {
    // Provider: weft / Name: ... / Location, Base, Semaphore / Arguments: 8@%rdi -4@%esi ...
    const auto at = notes.find("Provider: weft\n    Name: " + std::string(probe.name) + "\n");
    ASSERT_NE(at, std::string::npos) << probe.name << "\n" << notes;
    const auto arguments = notes.find("Arguments: ", at);
    const std::string list = notes.substr(arguments, notes.find('\n', arguments) - arguments);
    EXPECT_EQ(std::count(list.begin(), list.end(), '@'), probe.arguments) << list;
    const auto semaphore = notes.find("Semaphore: 0x", at);
    EXPECT_NE(notes.substr(semaphore, 29), "Semaphore: 0x0000000000000000") << probe.name;
  }
}

TEST_F(probes, are_seen_by_a_tool_that_attaches) {
  const auto look = [](const char* probe, const char* print) {
    return " -ex 'tbreak -probe-stap weft:" + std::string(probe) + "' -ex continue -ex 'printf \"" +
           probe + ": " + print + "\\n\", $_probe_arg0, $_probe_arg1'";
  };
  const ended gdb = shell(
      "timeout 40 gdb -nx -batch -iex 'set debuginfod enabled off' -iex 'set auto-load off'"
      " -ex 'break probes_victim_is_ready' -ex run" +
      look("run", "%ld on worker %d") + look("spawn", "%ld by %ld") + look("stop", "%ld why %d") +
      look("wake", "%ld by %ld") + look("sleep", "%d how %d") + " -ex kill --args " + own_path() +
      only("probes.DISABLED_victim"));
  if (gdb.status == 127 || gdb.has("ptrace") || gdb.has("Could not trace")) {
    GTEST_SKIP() << "no gdb, or it may not trace here:\n" << gdb.output;
  }
  for (const char* expected :
       {"\nrun: ", " on worker 0\n", "\nspawn: ", "\nstop: ", "\nwake: ", "\nsleep: "}) {
    EXPECT_TRUE(gdb.has(expected)) << expected << "\n" << gdb.output;
  }
  EXPECT_FALSE(gdb.has("run: 0 on")) << gdb.output;
}
}  // namespace
}  // namespace weft::test
