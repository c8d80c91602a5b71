#include "debug/groups.hpp"

#include <algorithm>
#include <cstring>

namespace weft::detail {
namespace {
std::uint64_t mix(std::uint64_t hash, std::uint64_t value) noexcept {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
  return hash ^ hash >> 29;
}

std::uint64_t hash_of(const fiber_view& v, const trace& t) noexcept {
  std::uint64_t hash = mix(static_cast<std::uint64_t>(v.state), static_cast<std::uint64_t>(v.kind));
  hash = mix(hash, reinterpret_cast<std::uintptr_t>(v.core));
  hash = mix(hash, reinterpret_cast<std::uintptr_t>(v.site_file));
  hash = mix(hash, v.site_line);
  hash = mix(hash, static_cast<std::uint64_t>(v.doing.call));
  for (std::uint32_t i = 0; i < t.count; ++i) hash = mix(hash, t.pc[i]);
  return hash;
}

bool same(const fiber_group& group, const fiber_view& v, const trace& t) noexcept {
  const fiber_view& g = group.first;
  return g.state == v.state && g.kind == v.kind && g.doing.what == v.doing.what &&
         g.doing.call == v.doing.call && g.core == v.core && g.at_same_site(v) && group.stack == t;
}
}  // namespace

fiber_group* fiber_groups::add(const fiber_view& v, const trace& t, std::uint32_t age) noexcept {
  const std::uint64_t hash = hash_of(v, t);
  std::size_t at = hash % buckets;
  fiber_group* group = nullptr;
  for (; bucket_[at] != 0; at = (at + 1) % buckets) {
    fiber_group& candidate = groups_[bucket_[at] - 1];
    if (candidate.hash == hash && same(candidate, v, t)) {
      group = &candidate;
      break;
    }
  }
  if (!group) {
    if (count_ == most) return nullptr;
    group = &groups_[count_];
    bucket_[at] = static_cast<std::uint16_t>(++count_);
    group->hash = hash;
    group->first = v;
    group->stack = t;
    group->youngest = group->oldest = age;
  }
  if (group->count < fiber_group::shown) {
    fiber_group::member& m = group->members[group->count];
    m.id = v.id;
    m.on = v.on;
    m.since = v.since;
    std::memcpy(m.name, v.name, sizeof m.name);
  }
  ++group->count;
  group->last_id = v.id;
  group->youngest = std::min(group->youngest, age);
  group->oldest = std::max(group->oldest, age);
  return group;
}

void fiber_groups::sort() noexcept {
  for (std::size_t i = 0; i < count_; ++i) order_[i] = static_cast<std::uint16_t>(i);
  const auto rank = [](fiber_state s) {
    return s == fiber_state::running ? 0 : s == fiber_state::blocking ? 1 : 2;
  };
  std::sort(order_, order_ + count_, [&](std::uint16_t a, std::uint16_t b) {
    const fiber_group& left = groups_[a];
    const fiber_group& right = groups_[b];
    if (rank(left.first.state) != rank(right.first.state)) {
      return rank(left.first.state) < rank(right.first.state);
    }
    if (left.count != right.count) return left.count > right.count;
    return left.first.id < right.first.id;
  });
}
}  // namespace weft::detail
