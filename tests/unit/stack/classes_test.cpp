#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "stack/stack.hpp"

using namespace weft::detail;

TEST(stack_class, rounds_up_to_a_power_of_two) {
  EXPECT_EQ(stack_class_bytes(stack_class_for(256 * 1024)), 256u * 1024);
  EXPECT_EQ(stack_class_bytes(stack_class_for(256 * 1024 + 1)), 512u * 1024);
  EXPECT_EQ(stack_class_bytes(stack_class_for(100'000)), 128u * 1024);
  EXPECT_EQ(stack_class_bytes(stack_class_for(64u << 20)), 64u << 20);
}

TEST(stack_class, smallest_holds_a_signal_frame) {
  const std::size_t least = stack_class_bytes(stack_class_for(1));
  EXPECT_GE(least, 16u * 1024);
  EXPECT_GE(least, static_cast<std::size_t>(::sysconf(_SC_MINSIGSTKSZ)) + 8 * 1024);
}

TEST(stack_class, covers_every_size) {
  std::size_t before = 0;
  for (std::size_t bytes = 1; bytes <= 64u << 20; bytes += bytes / 3 + 1) {
    const std::size_t got = stack_class_bytes(stack_class_for(bytes));
    EXPECT_GE(got, bytes);
    EXPECT_GE(got, before);
    before = got;
  }
}

TEST(stack_class, absurd_sizes_name_the_range_and_the_options) {
  for (const std::size_t bytes : {std::size_t{0}, (std::size_t{64} << 20) + 1, ~std::size_t{0}}) {
    try {
      stack_class_for(bytes);
      ADD_FAILURE() << bytes << " was accepted";
    } catch (const std::system_error& e) {
      const std::string text = e.what();
      EXPECT_EQ(e.code().value(), EINVAL);
      EXPECT_NE(text.find(std::to_string(bytes)), std::string::npos) << text;
      EXPECT_NE(text.find("67108864"), std::string::npos) << text;
      EXPECT_NE(text.find("runtime_options::stack_size"), std::string::npos) << text;
      EXPECT_NE(text.find("fiber_options::stack_size"), std::string::npos) << text;
    }
  }
}
