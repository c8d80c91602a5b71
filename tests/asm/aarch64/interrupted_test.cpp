// A walk from where a signal interrupts a function that has saved nothing yet: its return address
// is in x30 alone, and that of its caller lies signed on the stack.
#include <gtest/gtest.h>
#include <ucontext.h>

#include <csignal>
#include <cstdint>
#include <vector>

#include "base/stack_walk.hpp"

namespace weft::test {

// Stores where it returns to, and calls a function that faults.
extern "C" void calls_leaf(std::uintptr_t* returns_to);
extern "C" const char faulting_leaf[], after_leaf[];
asm(R"(
        .text
        .globl  faulting_leaf, after_leaf  // or one entry of the GOT would be for both
        .type   faulting_leaf, %function
faulting_leaf:
        ldr     xzr, [x9]
        ret
        .type   calls_leaf, %function
calls_leaf:
        hint    #25                     // paciasp, where the processor has it
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        hint    #7                      // xpaclri
        str     x30, [x0]
        mov     x9, #0
        bl      faulting_leaf
after_leaf:
        ldp     x29, x30, [sp], #16
        hint    #29                     // autiasp
        ret
)");

namespace {

std::vector<detail::stack_walk::frame> frames;

void walk_and_go_on(int, siginfo_t*, void* context) {
  detail::module_map code;
  code.read();
  const auto from = detail::stack_walk::interrupted(context);
  const auto* low = reinterpret_cast<const std::byte*>(from.sp);
  const detail::stack_walk found(code, from, low, low + 512);
  frames.assign(found.begin(), found.end());
  static_cast<ucontext_t*>(context)->uc_mcontext.pc += 4;  // over the load
}

TEST(interrupted, the_caller_is_found_whose_address_is_in_x30_alone) {
  struct sigaction ours {
  }, previous{};
  ours.sa_sigaction = walk_and_go_on;
  ours.sa_flags = SA_SIGINFO;
  ASSERT_EQ(::sigaction(SIGSEGV, &ours, &previous), 0);
  std::uintptr_t returns_to = 0;
  calls_leaf(&returns_to);
  ::sigaction(SIGSEGV, &previous, nullptr);
  ASSERT_GE(frames.size(), 3u);
  EXPECT_EQ(frames[0].pc, reinterpret_cast<std::uintptr_t>(faulting_leaf));
  EXPECT_EQ(frames[1].pc, reinterpret_cast<std::uintptr_t>(after_leaf) - 1);
  EXPECT_TRUE(frames[1].guessed);
  EXPECT_EQ(frames[2].pc, returns_to - 1);
  EXPECT_FALSE(frames[2].guessed);
}

}  // namespace
}  // namespace weft::test
