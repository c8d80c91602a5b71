// The properties of asm/aarch64.S that only its object file shows.
#include "asm/object.hpp"

namespace weft::test {
namespace {
TEST_F(object, promises_bti_and_not_pac) {
  const std::string notes = show(WEFT_TEST_READELF " -n");
  EXPECT_TRUE(has(notes, "AArch64 feature: BTI")) << notes;
  EXPECT_FALSE(has(notes, "PAC")) << notes;
}

// A ret would be predicted from the wrong side's calls.
TEST_F(object, switches_without_ret) {
  const std::string code = disassembly("weft_switch") + disassembly("weft_switch_away");
  EXPECT_TRUE(has(code, "br\tx30")) << code;
  EXPECT_FALSE(has(code, "ret")) << code;
}

TEST_F(object, indirect_branches_may_land_on_every_function) {
  for (const char* function :
       {"weft_switch", "weft_switch_away", "weft_fp_env_save", "weft_fp_env_load"}) {
    EXPECT_TRUE(has(first_instruction(function), "bti\tc")) << disassembly(function);
  }
  EXPECT_TRUE(has(disassembly("weft_context_entry"), "bti\tj"));
}

TEST_F(object, leaves_the_platforms_register_alone) {
  const std::string code = disassembly();
  for (const char* name : {" x18", "\tx18", "[x18", " w18", "\tw18"}) {
    EXPECT_FALSE(has(code, name)) << code;
  }
}

// The switch has its frame from the store on, and none again once it is loaded.
TEST_F(object, unwind_rules_follow_each_instruction) {
  const std::string frames = show(WEFT_TEST_READELF " --debug-dump=frames-interp");
  for (const char* row : {"0000000000000000 sp+0 ", "0000000000000008 sp+16 ",
                          "000000000000001c sp+0 ", "0000000000000020 sp+16 "}) {
    EXPECT_TRUE(has(frames, row)) << row << "\n" << frames;
  }
  const auto loaded = frames.find("000000000000001c sp+0 ");
  EXPECT_FALSE(has(frames.substr(loaded, frames.find('\n', loaded) - loaded), "c-"))
      << "nothing is looked for below the stack pointer\n"
      << frames;
}
}  // namespace
}  // namespace weft::test
