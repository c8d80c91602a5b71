#pragma once
#include <gtest/gtest.h>

#include "support/sanitizer.hpp"

namespace weft::test {
// Tests whose statements fault in a process of their own.
class faults_in_a_child : public ::testing::Test {
 protected:
  faults_in_a_child() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  void SetUp() override {
    if (sanitized) GTEST_SKIP() << "AddressSanitizer has SIGSEGV for itself";
  }
};
}  // namespace weft::test
