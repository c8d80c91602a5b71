#include "stack/high_water.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

namespace weft::detail {
namespace {
// A piece of memory that could be a stack.
class high_water : public testing::Test {
 protected:
  static constexpr std::size_t size = 64 * page_size;
  high_water() {
    void* const memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::madvise(memory, size, MADV_NOHUGEPAGE);
    lo = static_cast<std::byte*>(memory);
    on = {lo, lo + size - 320};
  }
  ~high_water() override { ::munmap(lo, size); }

  void touch(std::size_t depth, std::byte value = std::byte{1}) {
    on.hi[-static_cast<std::ptrdiff_t>(depth)] = value;
  }
  std::size_t after_painting() {
    paint_stack(on, on.hi - 64);
    return used_of_stack(on);
  }
  std::size_t resident_pages() const {
    unsigned char map[size / page_size];
    ::mincore(lo, size, map);
    std::size_t n = 0;
    for (const unsigned char page : map) n += page & 1;
    return n;
  }

  std::byte* lo;
  stack on;
};

TEST_F(high_water, nothing_is_used_of_a_stack_that_nobody_touched) {
  EXPECT_EQ(used_of_stack(on), 0u);
  EXPECT_EQ(after_painting(), 0u);
  EXPECT_EQ(resident_pages(), 0u) << "looking must not make it resident";
}

TEST_F(high_water, is_exact_to_a_word_on_new_pages) {
  for (const std::size_t depth : {8u, 100u, 4000u, 4100u, 50'000u, 200'000u}) {
    touch(depth);
    const std::size_t used = used_of_stack(on);
    EXPECT_GE(used, depth);
    EXPECT_LT(used, depth + 8);
  }
}

TEST_F(high_water, is_exact_to_a_word_on_pages_used_before_and_sees_zeros_there) {
  std::memset(lo, 0xff, static_cast<std::size_t>(on.hi - lo));
  EXPECT_LE(after_painting(), 64u) << "what a former fiber wrote is not this one's";
  for (const std::size_t depth : {100u, 4000u, 4100u, 50'000u, 200'000u, 261'000u}) {
    touch(depth, std::byte{0});
    const std::size_t used = used_of_stack(on);
    EXPECT_GE(used, depth);
    EXPECT_LT(used, depth + 8);
  }
}

TEST_F(high_water, whole_pages_of_zeros_count_where_pages_were_painted) {
  std::memset(lo, 0xff, static_cast<std::size_t>(on.hi - lo));
  paint_stack(on, on.hi - 64);
  std::byte* const page = lo + 10 * page_size;
  std::memset(page, 0, page_size);
  EXPECT_EQ(used_of_stack(on), static_cast<std::size_t>(on.hi - page));
}

TEST_F(high_water, a_new_page_that_was_only_probed_counts_as_a_whole) {
  std::byte* const page = lo + 20 * page_size;
  page[1000] = std::byte{0};
  EXPECT_EQ(used_of_stack(on), static_cast<std::size_t>(on.hi - page));
}

TEST_F(high_water, a_shallow_one_after_a_deep_one) {
  touch(200'000);
  std::memset(on.hi - 30'000, 0xee, 30'000);
  paint_stack(on, on.hi - 64);
  touch(5'000);
  EXPECT_LE(used_of_stack(on), 5'008u);
  EXPECT_GE(used_of_stack(on), 5'000u);
}

TEST_F(high_water, to_the_last_byte) {
  touch(static_cast<std::size_t>(on.hi - lo));
  EXPECT_EQ(used_of_stack(on), static_cast<std::size_t>(on.hi - on.lo));
}
}  // namespace
}  // namespace weft::detail
