#pragma once
#include "debug/fiber_view.hpp"

namespace weft::detail {
// Fibers that do the same: same state, kind of wait, spawn site and stack.
struct fiber_group {
  struct member {
    unsigned long long id;
    const void* on;
    std::uint32_t since;
    char name[fiber_extras::name_size];
  };
  static constexpr std::size_t shown = 8;

  std::uint64_t hash;
  std::uint64_t count;
  unsigned long long last_id;
  std::uint32_t youngest, oldest;  // ages, in stamp_unit
  fiber_view first;
  trace stack;
  member members[shown];
};

// A table of them, in memory that is all zero at first; only what is used of it is touched.
class fiber_groups {
 public:
  static constexpr std::size_t most = 4096;

  // Null: there is no group for it, and no room for another one.
  fiber_group* add(const fiber_view&, const trace&, std::uint32_t age) noexcept;
  // Into the order of a report: who runs first, then the larger ones.
  void sort() noexcept;
  std::size_t size() const noexcept { return count_; }
  const fiber_group& operator[](std::size_t i) const noexcept { return groups_[order_[i]]; }

 private:
  static constexpr std::size_t buckets = 2 * most;
  std::size_t count_;
  std::uint16_t bucket_[buckets];  // index of a group, plus 1
  std::uint16_t order_[most];
  fiber_group groups_[most];
};
}  // namespace weft::detail
