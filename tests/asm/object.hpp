#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "support/process.hpp"

// The properties of asm/*.S that only its object file shows: it is assembled once more, and readelf
// and objdump are asked.
namespace weft::test {
class object : public testing::Test {
 protected:
  object() {
    path_ = testing::TempDir() + "weft_object_test." + std::to_string(::getpid()) + ".o";
    assembled_ =
        run(WEFT_TEST_CXX " -c -o " + path_ + " " WEFT_TEST_FOLDER "/../asm/" WEFT_TEST_ARCH ".S");
  }
  ~object() override { std::remove(path_.c_str()); }
  void SetUp() override { ASSERT_EQ(assembled_, ""); }

  std::string show(const std::string& command) const { return run(command + " " + path_); }
  std::string disassembly() const { return show(WEFT_TEST_OBJDUMP " -d --no-show-raw-insn"); }
  std::string disassembly(const std::string& function) const {
    const std::string all = disassembly();
    const auto begin = all.find("<" + function + ">:");
    return begin == std::string::npos ? "" : all.substr(begin, all.find("\n\n", begin) - begin);
  }
  std::string first_instruction(const std::string& function) const {
    const std::string code = disassembly(function);
    const auto line = code.find('\n') + 1;
    return code.substr(line, code.find('\n', line) - line);
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

 private:
  static std::string run(const std::string& command) {
    const ended done = shell(command);
    return done.status == 0 ? done.output : done.output + "\nfailed: " + command;
  }

  std::string path_;
  std::string assembled_;
};
}  // namespace weft::test
