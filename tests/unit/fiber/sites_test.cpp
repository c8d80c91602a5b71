#include "fiber/sites.hpp"

#include <gtest/gtest.h>

#include <string>

#include "fiber/control_block.hpp"
#include "fiber/slab.hpp"

namespace weft::detail {
namespace {
std::string described(const control_block& block) {
  char place[64];
  describe_place(site_key_of(block), nullptr, place, sizeof place);
  return place;
}

TEST(sites, are_a_file_and_a_line_or_an_address) {
  control_block block;
  block.site_file = "some/where.cpp";
  block.site_line = 12;
  EXPECT_EQ(described(block), "some/where.cpp:12");
  block.site_line = 0;
  EXPECT_EQ(described(block), "some/where.cpp");
  block.site_file = address_as_site(reinterpret_cast<const void*>(std::uintptr_t{0x1235}));
  EXPECT_EQ(described(block), "0x1234") << "in the call, not behind it";
}

TEST(sites, may_not_be_known_yet) {
  EXPECT_EQ(described(control_block()), "an unknown place");
}

// A dump may look at a block whose next fiber has its number, and the place of the one before it.
TEST(sites, an_address_is_never_taken_for_a_string) {
  control_block block;
  block.site_file = address_as_site(reinterpret_cast<const void*>(&described));
  renew_block(block);
  block.serial.store(7, std::memory_order_relaxed);
  EXPECT_TRUE(site_key_of(block).is_address);
}
}  // namespace
}  // namespace weft::detail
