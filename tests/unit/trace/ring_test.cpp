#include "trace/ring.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace weft::detail {
namespace {
trace_record numbered(std::uint64_t id) {
  trace_record record;
  record.id = id;
  return record;
}

TEST(trace_ring, gives_what_it_was_given_in_order) {
  const auto ring = std::make_unique<trace_ring>();
  std::uint64_t next = 0;
  for (std::uint64_t i = 0; i < 3 * trace_ring::capacity; ++i) {
    const trace_record record = numbered(i);
    ring->push(&record, 1);
    if (i % 1000 == 999) {
      ring->pop([&](const trace_record& r) { EXPECT_EQ(r.id, next++); });
    }
  }
  ring->pop([&](const trace_record& r) { EXPECT_EQ(r.id, next++); });
  EXPECT_EQ(next, 3 * trace_ring::capacity);
  EXPECT_EQ(ring->dropped(), 0u);
}

TEST(trace_ring, drops_and_counts_what_it_has_no_room_for) {
  const auto ring = std::make_unique<trace_ring>();
  for (std::uint64_t i = 0; i < trace_ring::capacity + 7; ++i) {
    const trace_record record = numbered(i);
    ring->push(&record, 1);
  }
  EXPECT_EQ(ring->dropped(), 7u);
  std::uint64_t next = 0;
  EXPECT_EQ(ring->pop([&](const trace_record& r) { EXPECT_EQ(r.id, next++); }),
            trace_ring::capacity);
  const trace_record record = numbered(next);
  ring->push(&record, 1);
  EXPECT_EQ(ring->pop([&](const trace_record& r) { EXPECT_EQ(r.id, next); }), 1u);
}

TEST(trace_ring, takes_two_together_or_none) {
  const auto ring = std::make_unique<trace_ring>();
  const trace_record two[2] = {numbered(1), numbered(2)};
  for (std::uint64_t i = 0; i < trace_ring::capacity / 2 - 1; ++i) ring->push(two, 2);
  ring->push(two, 1);
  ring->push(two, 2);
  EXPECT_EQ(ring->dropped(), 1u);
  EXPECT_EQ(ring->pop([](const trace_record&) {}), trace_ring::capacity - 1);
}

TEST(trace_ring, asks_for_the_consumer_at_each_half) {
  const auto ring = std::make_unique<trace_ring>();
  const trace_record record;
  std::uint64_t asked = 0;
  for (std::uint64_t i = 0; i < trace_ring::capacity; ++i) asked += ring->push(&record, 1);
  EXPECT_EQ(asked, 2u);
}

TEST(trace_ring, between_two_threads) {
  const auto ring = std::make_unique<trace_ring>();
  constexpr std::uint64_t all = 1'000'000;
  std::thread producer([&] {
    for (std::uint64_t i = 1; i <= all; ++i) {
      trace_record record = numbered(i);
      record.at = record.span = record.flow = record.arg = i;
      ring->push(&record, 1);
    }
  });
  std::uint64_t seen = 0;
  std::uint64_t last = 0;
  while (seen + ring->dropped() < all) {
    seen += ring->pop([&](const trace_record& r) {
      EXPECT_GT(r.id, last);
      last = r.id;
      EXPECT_TRUE(r.at == r.id && r.span == r.id && r.flow == r.id && r.arg == r.id);
    });
  }
  producer.join();
  EXPECT_EQ(seen + ring->dropped(), all);
}
}  // namespace
}  // namespace weft::detail
