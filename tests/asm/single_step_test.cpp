// gdb steps through every instruction of the switch and unwinds at each: see single_step.py. Needs
// a kernel that lets gdb trace its child.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "context/context.hpp"
#include "support/process.hpp"
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
  detail::hop(&other, main_context, nullptr);
  detail::switch_away(&other, main_context, &step_after, nullptr);
}

// What gdb runs: into a fresh and a suspended context, with and without `after`, by hop, and away.
TEST(single_step, DISABLED_victim) {
  guarded_stack stack;
  other = detail::prepare(stack.top(), &step_other);
  detail::switch_to(&main_context, other, &step_after, nullptr);
  detail::switch_to(&main_context, other, &step_after, nullptr);
  detail::hop(&main_context, other, nullptr);
  detail::switch_to(&main_context, other, nullptr, nullptr);
  other = detail::prepare(stack.top(), &step_other);
  detail::switch_to(&main_context, other, nullptr, nullptr);
}

TEST(single_step, unwinding_is_exact_at_every_instruction) {
  const ended gdb = shell("WEFT_TEST_EMULATOR='" WEFT_TEST_EMULATOR "' " WEFT_TEST_GDB
                          " -nx -batch -x " WEFT_TEST_FOLDER "/asm/single_step.py --args " +
                          own_path() + only("single_step.DISABLED_victim"));
  if (gdb.status == 127) GTEST_SKIP() << "gdb is not installed";
  if (gdb.status == 2 && gdb.has("ptrace"))
    GTEST_SKIP() << "gdb may not trace here:\n" << gdb.output;
  EXPECT_EQ(gdb.status, 0) << gdb.output;
  EXPECT_TRUE(gdb.has("10 switches")) << gdb.output;
  EXPECT_TRUE(gdb.has("all exact")) << gdb.output;
}

}  // namespace
}  // namespace weft::test
