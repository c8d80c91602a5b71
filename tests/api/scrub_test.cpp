// What a fiber finds on its stack of the one before it.
#include <alloca.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "support/fibers.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
constexpr std::uintptr_t secret = 0x5ec2e75ec2e75ec2;
// Of a runtime that clears nothing: its stacks go to runtimes after it as they are.
constexpr std::uintptr_t left_there = ~secret;
constexpr std::size_t reach = 48 * 1024;

[[gnu::noinline]] void write_secrets(std::size_t bytes, std::uintptr_t value = secret) {
  auto* const words = static_cast<volatile std::uintptr_t*>(alloca(bytes));
  for (std::size_t i = 0; i < bytes / sizeof value; ++i) words[i] = value;
}

// How many of them lie below the caller, where whoever was here before had its frames.
[[gnu::noinline]] int secrets_below(std::uintptr_t value = secret) {
  const auto* at = static_cast<const volatile std::uintptr_t*>(__builtin_frame_address(0));
  int found = 0;
  for (std::size_t i = 0; i < reach / sizeof value; ++i) found += *--at == value;
  return found;
}

int left_behind(runtime_options options, std::size_t bytes, bool by_exception) {
  options.workers = 1;
  const std::uintptr_t value = options.scrub_stacks ? secret : left_there;
  runtime rt(options);
  return rt.run([&] {
    int found = 0;
    // Several, so that cached and recycled stacks have their turn; the last is the one looked at.
    for (int i = 0; i < 200; ++i) {
      fiber writer([&] {
        write_secrets(bytes, value);
        if (by_exception) throw operation_canceled();
      });
      writer.request_stop();
      writer.join();
      fiber([&] { found += secrets_below(value); }).join();
    }
    return found;
  });
}

class scrub : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    if (sanitized) GTEST_SKIP() << "reads frames that are gone";
  }
};

TEST_P(scrub, leaves_nothing_of_a_fiber_that_has_returned) {
  EXPECT_EQ(left_behind({.scrub_stacks = true}, GetParam(), false), 0);
}

TEST_P(scrub, leaves_nothing_of_a_fiber_that_ended_by_an_exception) {
  EXPECT_EQ(left_behind({.scrub_stacks = true}, GetParam(), true), 0);
}

// Or the tests above show nothing.
TEST_P(scrub, is_not_done_unasked) {
  if (GetParam() < 1000) GTEST_SKIP() << "the next frames write over so little";
  EXPECT_GT(left_behind({}, GetParam(), false), 0);
}

INSTANTIATE_TEST_SUITE_P(bytes, scrub, testing::Values(64, 1024, 5000, 40 * 1024));

TEST(scrub_many, leaves_nothing_of_fibers_that_lived_at_once) {
  if (sanitized) GTEST_SKIP() << "reads frames that are gone";
  runtime rt({.workers = 2, .scrub_stacks = true});
  std::atomic<int> found{0};
  rt.run([&] {
    for (int round = 0; round < 3; ++round) {
      std::vector<fiber> all;
      for (int i = 0; i < 500; ++i) {
        all.emplace_back([&] {
          found += secrets_below();
          this_fiber::yield();
          write_secrets(20'000);
        });
      }
      for (fiber& f : all) f.join();
    }
  });
  EXPECT_EQ(found, 0);
}
}  // namespace
}  // namespace weft::test
