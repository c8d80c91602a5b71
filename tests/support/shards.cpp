// A program that runs one part of the tests (support/part) starts itself for single tests, and
// those are to run whichever part they belong to. GoogleTest has read its variables when this is
// called.
#include <gtest/gtest.h>

#include <cstdlib>

namespace weft::test {
namespace {
struct forgetting_parts : testing::Environment {
  void SetUp() override {
    ::unsetenv("GTEST_TOTAL_SHARDS");
    ::unsetenv("GTEST_SHARD_INDEX");
  }
};

[[maybe_unused]] const bool forgets =
    testing::AddGlobalTestEnvironment(new forgetting_parts) != nullptr;
}  // namespace
}  // namespace weft::test
