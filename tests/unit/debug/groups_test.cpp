#include "debug/groups.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace weft::detail {
namespace {
struct table {
  std::unique_ptr<fiber_groups> groups{new fiber_groups()};  // zero
  fiber_view view;
  trace stack;

  fiber_group* add(unsigned long long id, std::uint32_t line, std::uintptr_t pc,
                   std::uint32_t age = 0) {
    view.id = id;
    view.state = fiber_state::parked;
    view.site_line = line;
    view.name[0] = 0;
    stack.count = 1;
    stack.pc[0] = pc;
    return groups->add(view, stack, age);
  }
};

TEST(fiber_groups, gathers_equal_fibers) {
  table t;
  for (unsigned i = 0; i < 100; ++i) ASSERT_NE(t.add(i + 1, 7, 0x1000, 50 + i), nullptr);
  ASSERT_EQ(t.groups->size(), 1u);
  t.groups->sort();
  const fiber_group& g = (*t.groups)[0];
  EXPECT_EQ(g.count, 100u);
  EXPECT_EQ(g.youngest, 50u);
  EXPECT_EQ(g.oldest, 149u);
  EXPECT_EQ(g.members[0].id, 1u);
  EXPECT_EQ(g.members[7].id, 8u);
  EXPECT_EQ(g.last_id, 100u);
}

TEST(fiber_groups, tells_sites_and_stacks_apart_and_puts_the_largest_first) {
  table t;
  t.add(1, 7, 0x1000);
  t.add(2, 8, 0x1000);
  t.add(3, 8, 0x2000);
  t.add(4, 8, 0x2000);
  ASSERT_EQ(t.groups->size(), 3u);
  t.groups->sort();
  EXPECT_EQ((*t.groups)[0].count, 2u);
  EXPECT_EQ((*t.groups)[1].first.id, 1u);
  EXPECT_EQ((*t.groups)[2].first.id, 2u);
}

TEST(fiber_groups, full_still_takes_what_it_has_a_group_for) {
  table t;
  for (std::uint32_t i = 0; i < fiber_groups::most; ++i)
    ASSERT_NE(t.add(i + 1, i, 0x1000), nullptr);
  EXPECT_EQ(t.add(9999, fiber_groups::most, 0x1000), nullptr);
  EXPECT_NE(t.add(9999, 17, 0x1000), nullptr);
}
}  // namespace
}  // namespace weft::detail
