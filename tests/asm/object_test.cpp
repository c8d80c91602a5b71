// What holds for the object file of every architecture; its own is in the folder of each.
#include "asm/object.hpp"

namespace weft::test {
namespace {
TEST_F(object, needs_no_executable_stack) {
  const std::string sections = show(WEFT_TEST_READELF " -SW");
  const auto at = sections.find(".note.GNU-stack");
  ASSERT_NE(at, std::string::npos) << sections;
  const std::string line = sections.substr(at, sections.find('\n', at) - at);
  EXPECT_FALSE(has(line, " X ") || has(line, " AX ")) << line;
}

TEST_F(object, symbols_are_hidden_functions_with_sizes) {
  const std::string symbols = show(WEFT_TEST_READELF " -sW");
  for (const char* name : {"weft_switch", "weft_switch_away", "weft_context_entry",
                           "weft_fp_env_save", "weft_fp_env_load"}) {
    const auto at = symbols.find(std::string(" ") + name + "\n");
    ASSERT_NE(at, std::string::npos) << name << "\n" << symbols;
    const auto begin = symbols.rfind('\n', at) + 1;
    const std::string line = symbols.substr(begin, at - begin);
    EXPECT_TRUE(has(line, "FUNC    GLOBAL HIDDEN")) << line;
    EXPECT_FALSE(has(line, ":      0 FUNC") || has(line, "     0 FUNC")) << name << " has no size";
  }
}
}  // namespace
}  // namespace weft::test
