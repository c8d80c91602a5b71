// In a build with chaos mode every test is an episode of its own, so that it decides the same alone
// and among others; and a failure says how to repeat it. In a plain build this does nothing.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "support/chaotic.hpp"

namespace weft::test {
namespace {
template <class Info>
std::string name_of(const Info& test) {
  return std::string(test.test_suite_name()) + "." + test.name();
}

class episodes : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& test) override {
    if (chaotic()) detail::chaos::begin_episode(name_of(test).c_str());
  }
  void OnTestEnd(const testing::TestInfo& test) override {
    if (!chaotic() || !test.result()->Failed()) return;
    std::fprintf(stderr, "again: WEFT_CHAOS=%s %s --gtest_filter=%s\n", detail::chaos::setting(),
                 program_invocation_name, name_of(test).c_str());
  }
};

// The seed is told here, and not by the first runtime: death tests read what their children print,
// and those come by here as well.
struct telling : testing::Environment {
  void SetUp() override {
    if (chaotic()) detail::chaos::announce(GTEST_FLAG_GET(internal_run_death_test).empty());
  }
};

[[maybe_unused]] const bool listening = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new episodes);
  testing::AddGlobalTestEnvironment(new telling);
  return true;
}();
}  // namespace
}  // namespace weft::test
