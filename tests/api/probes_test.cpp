// The static probes: the program carries them, and a tool that attaches to a running process sees
// what its fibers do from then on. gdb is such a tool; it needs a kernel that lets it trace.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>

#include "support/fibers.hpp"

namespace weft::test {
using namespace std::chrono_literals;

extern "C" [[gnu::noinline]] void probes_victim_is_ready() {
  asm volatile("");
}

namespace {
TEST(probes, DISABLED_victim) {
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

std::string self() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

std::string output_of(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return "";
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  ::pclose(pipe);
  return output;
}

TEST(probes, are_in_the_program_with_their_arguments) {
  const std::string notes = output_of("readelf --notes " + self());
  if (notes.find("stapsdt") == std::string::npos) GTEST_SKIP() << "built without <sys/sdt.h>";
  struct {
    const char* name;
    int arguments;
  } const probes[] = {{"spawn", 4}, {"run", 2},   {"stop", 3}, {"wake", 3},
                      {"steal", 3}, {"sleep", 2}, {"awake", 2}};
  for (const auto& probe : probes) {
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

TEST(probes, are_seen_by_a_tool_that_attaches) {
  if (output_of("readelf --notes " + self()).find("stapsdt") == std::string::npos) {
    GTEST_SKIP() << "built without <sys/sdt.h>";
  }
  const auto look = [](const char* probe, const char* print) {
    return " -ex 'tbreak -probe-stap weft:" + std::string(probe) + "' -ex continue -ex 'printf \"" +
           probe + ": " + print + "\\n\", $_probe_arg0, $_probe_arg1'";
  };
  const std::string output = output_of(
      "timeout 40 gdb -nx -batch -iex 'set debuginfod enabled off' -iex 'set auto-load off'"
      " -ex 'break probes_victim_is_ready' -ex run" +
      look("run", "%ld on worker %d") + look("spawn", "%ld by %ld") + look("stop", "%ld why %d") +
      look("wake", "%ld by %ld") + look("sleep", "%d how %d") + " -ex kill --args " + self() +
      " --gtest_filter=probes.DISABLED_victim --gtest_also_run_disabled_tests");
  if (output.find("ptrace") != std::string::npos ||
      output.find("Could not trace") != std::string::npos ||
      output.find("not found") != std::string::npos) {
    GTEST_SKIP() << "gdb may not trace here:\n" << output;
  }
  for (const char* expected :
       {"\nrun: ", " on worker 0\n", "\nspawn: ", "\nstop: ", "\nwake: ", "\nsleep: "}) {
    EXPECT_NE(output.find(expected), std::string::npos) << expected << "\n" << output;
  }
  EXPECT_EQ(output.find("run: 0 on"), std::string::npos) << output;
}
}  // namespace
}  // namespace weft::test
