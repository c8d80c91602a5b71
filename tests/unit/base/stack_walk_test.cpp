// Backtraces of stacks that are made by hand, damaged ones too.
#include "base/stack_walk.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace weft::detail {
namespace {
[[gnu::noinline]] std::uintptr_t my_return_address() {
  asm volatile("");  // gcc would merge calls of a pure function
  return reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
}

class walk : public testing::Test {
 protected:
  walk() { code_.read(); }

  static std::uintptr_t at(std::size_t i) { return reinterpret_cast<std::uintptr_t>(&words_[i]); }
  std::vector<stack_walk::frame> from(std::size_t sp, std::uintptr_t fp,
                                      std::uintptr_t link = 0) const {
    const auto* lo = reinterpret_cast<const std::byte*>(words_.data());
    const stack_walk found(code_, {1, at(sp), fp, link}, lo, lo + sizeof words_);
    return {found.begin(), found.end()};
  }

  static inline std::array<std::uintptr_t, 100> words_;
  module_map code_;
  // Two places after a call.
  const std::uintptr_t one_ = my_return_address();
  const std::uintptr_t two_ = my_return_address();

  void SetUp() override {
    words_.fill(0);
    ASSERT_NE(one_, two_);
  }
};

TEST_F(walk, follows_frame_pointers_to_the_outermost_frame) {
  words_[10] = at(20);
  words_[11] = one_;
  words_[20] = 0;
  words_[21] = two_;
  words_[30] = one_;  // of nobody
  const auto frames = from(5, at(10));
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0].pc, 1u);
  EXPECT_EQ(frames[1].pc, one_ - 1);
  EXPECT_EQ(frames[2].pc, two_ - 1);
  EXPECT_FALSE(frames[1].guessed || frames[2].guessed);
}

TEST_F(walk, counts_a_recursion_as_one_frame) {
  for (std::size_t i = 10; i < 90; i += 2) {
    words_[i] = at(i + 2);
    words_[i + 1] = one_;
  }
  words_[91] = two_;
  const auto frames = from(5, at(10));
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[1].repeated, 39u);
  EXPECT_EQ(frames[2].pc, two_ - 1);
}

TEST_F(walk, guesses_where_there_is_no_frame_pointer) {
  words_[6] = one_ + 1;  // code, but not after a call
  words_[40] = one_;
  words_[50] = at(70);  // pushed by the next
  words_[51] = two_;
  words_[71] = one_;
  const auto frames = from(5, 12345);
  ASSERT_EQ(frames.size(), 4u);
  EXPECT_TRUE(frames[1].guessed && frames[2].guessed);
  EXPECT_EQ(frames[2].pc, two_ - 1);
  EXPECT_EQ(frames[3].pc, one_ - 1);
  EXPECT_FALSE(frames[3].guessed);
}

TEST_F(walk, guesses_before_it_steps_over_a_large_frame) {
  words_[20] = one_;
  words_[90] = 0;
  words_[91] = two_;
  const auto frames = from(5, at(90));
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_TRUE(frames[1].guessed);
  EXPECT_EQ(frames[2].pc, two_ - 1);
  EXPECT_FALSE(frames[2].guessed);
}

TEST_F(walk, ends_whatever_the_frame_pointers_say) {
  words_[10] = at(10);  // itself
  words_[11] = one_;
  EXPECT_EQ(from(5, at(10)).size(), 2u);
  words_[10] = at(2);  // back
  EXPECT_EQ(from(5, at(10)).size(), 2u);
  for (const std::uintptr_t wild : {std::uintptr_t{0}, std::uintptr_t{8}, at(5) + 1, at(99),
                                    at(100), ~std::uintptr_t{0}, ~std::uintptr_t{0} - 7}) {
    words_[10] = wild;
    EXPECT_EQ(from(5, at(10)).size(), 2u) << wild;
    EXPECT_LE(from(5, wild).size(), 2u) << wild;
  }
  EXPECT_EQ(from(100, at(10)).size(), 1u);
}

// AArch64 calls so: a function that has saved nothing yet has its return address there alone.
TEST_F(walk, begins_with_the_caller_that_the_link_register_names) {
  words_[10] = 0;
  words_[11] = two_;
  const auto frames = from(5, at(10), one_);
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[1].pc, one_ - 1);
  EXPECT_TRUE(frames[1].guessed);  // the function may have returned from it
  EXPECT_EQ(frames[2].pc, two_ - 1);
  EXPECT_FALSE(frames[2].guessed);
}

TEST_F(walk, finds_a_return_address_that_is_saved_and_still_in_the_link_register_once) {
  words_[10] = at(20);
  words_[11] = one_;
  words_[20] = at(30);
  words_[21] = one_;
  words_[31] = two_;
  auto frames = from(5, at(10), one_);
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_FALSE(frames[1].guessed);
  EXPECT_EQ(frames[1].repeated, 1u);  // the recursion of the second record alone
  words_[7] = one_;                   // saved by a function without a frame pointer
  words_[11] = two_;
  frames = from(5, 12345, one_);
  ASSERT_GE(frames.size(), 3u);
  EXPECT_EQ(frames[1].pc, one_ - 1);
  EXPECT_EQ(frames[1].repeated, 0u);
  EXPECT_EQ(frames[2].pc, two_ - 1);
}

TEST_F(walk, believes_no_link_register_that_is_no_return_address) {
  words_[11] = two_;
  const std::uintptr_t no_return = one_ + 1;
  for (const std::uintptr_t wild :
       {std::uintptr_t{0}, std::uintptr_t{8}, no_return, at(50), ~std::uintptr_t{0}}) {
    const auto frames = from(5, at(10), wild);
    ASSERT_EQ(frames.size(), 2u) << wild;
    EXPECT_EQ(frames[1].pc, two_ - 1);
  }
}

TEST_F(walk, a_module_map_names_the_file_and_the_place_in_it) {
  char text[256];
  code_.describe(one_, text, sizeof text);
  EXPECT_NE(std::string(text).find("weft_unit_tests+0x"), std::string::npos) << text;
  code_.describe(0x10, text, sizeof text);
  EXPECT_STREQ(text, "0x10");
  EXPECT_TRUE(code_.is_after_call(one_));
  EXPECT_FALSE(code_.is_code(at(0)));
  EXPECT_FALSE(code_.is_after_call(~std::uintptr_t{0}));
}
}  // namespace
}  // namespace weft::detail
