// gdb steps through every instruction of the switch and unwinds at each: see single_step.py. Needs
// a kernel that lets gdb trace its child.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "context/context.hpp"
#include "support/toy_scheduler.hpp"

namespace weft::test {
namespace {

detail::context main_context;
detail::context other;

}  // namespace

// Known to single_step.py by name.
extern "C" void step_after(void*, detail::context*) noexcept {
  asm volatile("");
}

namespace {

void step_other(void*) noexcept {
  detail::switch_to(&other, main_context, nullptr, nullptr);
  detail::switch_to(&other, main_context, &step_after, nullptr);
  detail::switch_away(&other, main_context, &step_after, nullptr);
}

// What gdb runs: into a fresh and a suspended context, with and without `after`, and away.
TEST(single_step, DISABLED_victim) {
  guarded_stack stack;
  other = detail::prepare(stack.top(), &step_other);
  detail::switch_to(&main_context, other, &step_after, nullptr);
  detail::switch_to(&main_context, other, &step_after, nullptr);
  detail::switch_to(&main_context, other, nullptr, nullptr);
  other = detail::prepare(stack.top(), &step_other);
  detail::switch_to(&main_context, other, nullptr, nullptr);
}

TEST(single_step, unwinding_is_exact_at_every_instruction) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const auto script = std::filesystem::path(__FILE__).parent_path() / "single_step.py";
  const std::string command = "WEFT_TEST_EMULATOR='" WEFT_TEST_EMULATOR "' " WEFT_TEST_GDB
                              " -nx -batch -x " +
                              script.string() + " --args " + self +
                              " --gtest_filter=single_step.DISABLED_victim"
                              " --gtest_also_run_disabled_tests 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  const int status = ::pclose(pipe);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 127) GTEST_SKIP() << "gdb is not installed";
  if (WEXITSTATUS(status) == 2 && output.find("ptrace") != std::string::npos) {
    GTEST_SKIP() << "gdb may not trace here:\n" << output;
  }
  EXPECT_EQ(WEXITSTATUS(status), 0) << output;
  EXPECT_NE(output.find("8 switches"), std::string::npos) << output;
  EXPECT_NE(output.find("all exact"), std::string::npos) << output;
}

}  // namespace
}  // namespace weft::test
