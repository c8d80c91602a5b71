// What the C++ runtime knows of exceptions in flight is a context's own.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <weft/context.hpp>

namespace weft::test {
namespace {
// The two sides enter and leave handlers in any order.
TEST(context_handlers, are_apart) {
  const auto text = [] {
    try {
      throw;
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
  };
  context<> c([&](auto& yield) {
    try {
      throw std::runtime_error("inside");
    } catch (const std::exception&) {
      EXPECT_EQ(text(), "inside");
      yield();
      EXPECT_EQ(text(), "inside");
      try {
        throw std::runtime_error("nested");
      } catch (const std::exception&) {
        yield();
        EXPECT_EQ(text(), "nested");
      }
      EXPECT_EQ(text(), "inside");
    }
    yield();
    EXPECT_EQ(std::current_exception(), nullptr);
  });
  try {
    throw std::logic_error("outside");
  } catch (const std::exception&) {
    c.resume();
    EXPECT_EQ(text(), "outside");
    try {
      throw std::logic_error("second");
    } catch (const std::exception&) {
      c.resume();
      EXPECT_EQ(text(), "second");
    }
    EXPECT_EQ(text(), "outside");
  }
  EXPECT_EQ(std::current_exception(), nullptr);
  c.resume();
  EXPECT_FALSE(c.resume());
  EXPECT_EQ(std::current_exception(), nullptr);
}

TEST(context_handlers, see_destruction_while_another_exception_is_under_way) {
  bool unwound = false;
  try {
    struct flag {
      bool& set;
      ~flag() { set = std::uncaught_exceptions() == 1; }
    };
    context<> c([&](auto& yield) {
      const flag local{unwound};
      yield();
    });
    c.resume();
    throw 5;
  } catch (int five) {
    EXPECT_EQ(five, 5);
  }
  EXPECT_TRUE(unwound);
}

}  // namespace
}  // namespace weft::test
