// The properties of asm/x86_64.S that only its object file shows.
#include "asm/object.hpp"

namespace weft::test {
namespace {
TEST_F(object, promises_ibt_and_not_shstk) {
  const std::string notes = show(WEFT_TEST_READELF " -n");
  EXPECT_TRUE(has(notes, "x86 feature: IBT")) << notes;
  EXPECT_FALSE(has(notes, "SHSTK")) << notes;
}

// A ret would be predicted from the wrong side's calls.
TEST_F(object, switches_without_ret) {
  const std::string code = disassembly("weft_switch") + disassembly("weft_switch_away");
  EXPECT_TRUE(has(code, "jmp    *%rdx")) << code;
  EXPECT_FALSE(has(code, "ret")) << code;
}

TEST_F(object, hops_without_ret) {
  const std::string code = disassembly("weft_hop");
  EXPECT_TRUE(has(code, "notrack jmp *%rcx")) << code;
  EXPECT_FALSE(has(code, "ret")) << code;
}

TEST_F(object, indirect_branches_land_on_endbr64_but_for_the_one_that_stands_for_a_ret) {
  for (const char* function :
       {"weft_switch", "weft_switch_away", "weft_context_entry", "weft_fp_env_save"}) {
    const std::string code = disassembly(function);
    EXPECT_FALSE(has(code, "notrack")) << code;
  }
  for (const char* function : {"weft_fp_env_save", "weft_fp_env_load", "weft_hop"}) {
    EXPECT_TRUE(has(first_instruction(function), "endbr64")) << disassembly(function);
  }
}

// Every instruction of the switch that moves rsp has its own row of unwind rules.
TEST_F(object, unwind_rules_follow_each_instruction) {
  const std::string frames = show(WEFT_TEST_READELF " --debug-dump=frames-interp");
  for (const char* row : {"rsp+0 ", "rsp+8 ", "rsp+16 ", "rbx+16 "}) {
    EXPECT_TRUE(has(frames, row)) << row << "\n" << frames;
  }
}
}  // namespace
}  // namespace weft::test
