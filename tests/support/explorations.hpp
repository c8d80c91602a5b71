#pragma once
#include <weft/testing.hpp>

namespace weft::test {
// For runs that are meant to fail: the report is looked at, not printed.
inline testing::explore_options quiet(std::uint64_t seeds = 1000) {
  testing::explore_options options;
  options.seeds = seeds;
  options.print_to = -1;
  return options;
}
}  // namespace weft::test
