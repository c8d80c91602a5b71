#pragma once
#include <gtest/gtest.h>

#include <string>

#include "support/process.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
// For the end of what a process has written that a signal ends: an emulator adds a line of its own.
inline std::string and_no_more() {
  return emulated() ? "(qemu: [^\n]*\n)?$" : "$";
}

// Tests whose statements fault in a process of their own.
class faults_in_a_child : public ::testing::Test {
 protected:
  faults_in_a_child() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  void SetUp() override {
    if (sanitized) GTEST_SKIP() << "AddressSanitizer has SIGSEGV for itself";
  }
};
}  // namespace weft::test
