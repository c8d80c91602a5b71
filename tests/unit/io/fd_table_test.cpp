#include "io/fd_table.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <thread>
#include <vector>

namespace weft::detail {
namespace {
TEST(fd_table, what_can_be_no_descriptor_has_no_entry) {
  EXPECT_EQ(find_entry(-1), nullptr);
  EXPECT_EQ(find_entry(std::numeric_limits<int>::min()), nullptr);
  EXPECT_EQ(find_entry(std::numeric_limits<int>::max()), nullptr);
  EXPECT_EQ(find_entry(4096 * 1024), nullptr);
  EXPECT_NE(find_entry(0), nullptr);
  EXPECT_NE(find_entry(4096 * 1024 - 1), nullptr);
}

TEST(fd_table, entries_are_found_again_and_are_distinct) {
  for (const int fd : {0, 1, 1023, 1024, 100'000}) {
    fd_entry* entry = find_entry(fd);
    EXPECT_EQ(find_entry(fd), entry);
    EXPECT_NE(find_entry(fd + 1), entry);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(entry) % cache_line, 0u);
  }
}

TEST(fd_table, a_new_descriptor_begins_a_generation_with_nothing_known) {
  constexpr int fd = 200'000;
  fd_entry& entry = *find_entry(fd);
  adopt_new(fd, fd_flag::own | fd_flag::stream);
  EXPECT_TRUE(entry.has(fd_flag::own));
  EXPECT_TRUE(entry.has(fd_flag::stream));
  EXPECT_FALSE(entry.has(fd_flag::nonblock));
  const auto before = entry.generation.load(std::memory_order_relaxed);
  entry.registered = 5;
  entry.no_skip.store(true, std::memory_order_relaxed);
  entry.in.drained_at.store(entry.in.edges.load(std::memory_order_relaxed),
                            std::memory_order_relaxed);
  adopt_new(fd, fd_flag::nonblock);
  EXPECT_NE(entry.generation.load(std::memory_order_relaxed), before);
  EXPECT_EQ(entry.registered, 0u);
  EXPECT_FALSE(entry.no_skip.load(std::memory_order_relaxed));
  EXPECT_NE(entry.in.drained_at.load(std::memory_order_relaxed),
            entry.in.edges.load(std::memory_order_relaxed));
  EXPECT_FALSE(entry.has(fd_flag::own));
  EXPECT_TRUE(entry.has(fd_flag::nonblock));
  adopt_new(-1, fd_flag::own);  // no effect
}

TEST(fd_table, threads_that_make_a_chunk_agree) {
  for (int round = 0; round < 20; ++round) {
    const int fd = 300'000 + round * 1024;
    std::vector<std::thread> threads;
    std::vector<fd_entry*> seen(4);
    for (std::size_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] { seen[i] = find_entry(fd); });
    }
    for (std::thread& t : threads) t.join();
    for (fd_entry* entry : seen) EXPECT_EQ(entry, seen[0]);
  }
}
}  // namespace
}  // namespace weft::detail
