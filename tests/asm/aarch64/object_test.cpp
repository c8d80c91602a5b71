// The properties of asm/aarch64.S that only its object file shows. Assembles it once more and asks
// readelf and objdump.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace weft::test {
namespace {

std::string run(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  const int status = ::pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) output += "\nfailed: " + command;
  return output;
}

class object : public testing::Test {
 protected:
  object() {
    const auto source = std::filesystem::path(__FILE__).parent_path() / "../../../asm/aarch64.S";
    path_ = testing::TempDir() + "weft_object_test." + std::to_string(::getpid()) + ".o";
    assembled_ = run(WEFT_TEST_CXX " -c -o " + path_ + " " + source.string());
  }
  ~object() override { std::remove(path_.c_str()); }
  void SetUp() override { ASSERT_EQ(assembled_, ""); }

  std::string show(const std::string& command) const { return run(command + " " + path_); }
  std::string disassembly(const std::string& function) const {
    const std::string all = show(WEFT_TEST_OBJDUMP " -d --no-show-raw-insn");
    const auto begin = all.find("<" + function + ">:");
    return begin == std::string::npos ? "" : all.substr(begin, all.find("\n\n", begin) - begin);
  }

 private:
  std::string path_;
  std::string assembled_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(object, promises_bti_and_not_pac) {
  const std::string notes = show(WEFT_TEST_READELF " -n");
  EXPECT_TRUE(has(notes, "AArch64 feature: BTI")) << notes;
  EXPECT_FALSE(has(notes, "PAC")) << notes;
}

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

// A ret would be predicted from the wrong side's calls.
TEST_F(object, switches_without_ret) {
  const std::string code = disassembly("weft_switch") + disassembly("weft_switch_away");
  EXPECT_TRUE(has(code, "br\tx30")) << code;
  EXPECT_FALSE(has(code, "ret")) << code;
}

TEST_F(object, indirect_branches_may_land_on_every_function) {
  for (const char* function :
       {"weft_switch", "weft_switch_away", "weft_fp_env_save", "weft_fp_env_load"}) {
    const std::string code = disassembly(function);
    const auto line = code.find('\n') + 1;
    EXPECT_TRUE(has(code.substr(line, code.find('\n', line) - line), "bti\tc")) << code;
  }
  EXPECT_TRUE(has(disassembly("weft_context_entry"), "bti\tj"));
}

TEST_F(object, leaves_the_platforms_register_alone) {
  const std::string code = show(WEFT_TEST_OBJDUMP " -d --no-show-raw-insn");
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
