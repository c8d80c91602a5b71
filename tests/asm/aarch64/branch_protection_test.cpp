// Switches in a program compiled with -mbranch-protection=standard, on a processor that enforces
// it: indirect branches that do not land on a bti are faults, return addresses are signed.
#include <gtest/gtest.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <cstdint>
#include <stdexcept>

#include "support/toy_scheduler.hpp"

namespace weft::test {

// As code that knows nothing of BTI.
extern "C" void no_landing();
asm(R"(
        .text
        .type   no_landing, %function
no_landing:
        ret
)");

namespace {

// While it lives, the program's own code is guarded. Not for good, by the linker's mark: the C
// library's start and end code in it may not know of BTI.
class guarded_code {
 public:
  guarded_code() { protect(PROT_READ | PROT_EXEC | prot_bti); }
  ~guarded_code() { protect(PROT_READ | PROT_EXEC); }

  static bool possible() {
    constexpr unsigned long hwcap2_bti = 1ul << 17;
    return (::getauxval(AT_HWCAP2) & hwcap2_bti) != 0;
  }

 private:
  static constexpr int prot_bti = 0x10;

  static void protect(int how) {
    ::dl_iterate_phdr(
        [](dl_phdr_info* program, std::size_t, void* arg) {
          for (int i = 0; i < program->dlpi_phnum; ++i) {
            const auto& part = program->dlpi_phdr[i];
            if (part.p_type != PT_LOAD || !(part.p_flags & PF_X)) continue;
            const std::uintptr_t begin =
                (program->dlpi_addr + part.p_vaddr) & ~std::uintptr_t{4095};
            const std::uintptr_t end = program->dlpi_addr + part.p_vaddr + part.p_memsz;
            EXPECT_EQ(
                ::mprotect(reinterpret_cast<void*>(begin), end - begin, *static_cast<int*>(arg)),
                0);
          }
          return 1;  // the program is the first
        },
        &how);
  }
};

TEST(branch_protection, this_program_has_it) {
#ifdef __ARM_FEATURE_BTI_DEFAULT
  constexpr bool compiled = true;
#else
  constexpr bool compiled = false;
#endif
  if (!compiled) GTEST_SKIP() << "compiled without -mbranch-protection=standard";
  EXPECT_TRUE(guarded_code::possible());
}

[[gnu::noinline]] int descend(toy_scheduler& scheduler, int depth) {
  scheduler.yield();
  if (depth == 0) throw std::runtime_error("bottom");
  const int result = descend(scheduler, depth - 1) + 1;
  scheduler.yield();
  return result;
}

TEST(branch_protection, switches_and_exceptions_work_where_branches_are_checked) {
  if (!guarded_code::possible()) GTEST_SKIP() << "this processor has no BTI";
  const guarded_code guarded;
  toy_scheduler scheduler;
  int caught = 0;
  for (int i = 0; i < 10; ++i) {
    scheduler.spawn([&, i] {
      try {
        descend(scheduler, i);
      } catch (const std::runtime_error&) {
        ++caught;
      }
    });
  }
  scheduler.run();
  EXPECT_EQ(caught, 10);
}

TEST(branch_protection_death, the_check_is_one) {
  if (!guarded_code::possible()) GTEST_SKIP() << "this processor has no BTI";
  EXPECT_EXIT(
      {
        const guarded_code guarded;
        void (*volatile call)() = no_landing;
        call();
      },
      testing::KilledBySignal(SIGILL), "");
}

}  // namespace
}  // namespace weft::test
