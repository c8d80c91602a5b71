// Divide and conquer, the same on every system: `Fork::both(f, g)` runs two callables, perhaps at
// the same time. What a program measures is the system's cost of that, and what it finds to do for
// two workers.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "sha1.hpp"

namespace bench {

// Two calls for each addition: nothing but forks.
template <class Fork>
std::uint64_t fib(unsigned n) {
  if (n < 2) return n;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  Fork::both([&a, n] { a = fib<Fork>(n - 1); }, [&b, n] { b = fib<Fork>(n - 2); });
  return a + b;
}

// Places of the queens so far, one a row; a fork for each half of the columns left to try.
struct board {
  std::array<std::uint8_t, 16> column{};

  bool safe(unsigned row, unsigned at) const {
    for (unsigned r = 0; r < row; ++r) {
      const unsigned apart = column[r] > at ? column[r] - at : at - column[r];
      if (apart == 0 || apart == row - r) return false;
    }
    return true;
  }
};

template <class Fork>
std::uint64_t queens(unsigned n, unsigned row, const board& so_far, unsigned first, unsigned last) {
  if (row == n) return 1;
  if (last - first > 1) {
    const unsigned middle = first + (last - first) / 2;
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    Fork::both([&] { a = queens<Fork>(n, row, so_far, first, middle); },
               [&] { b = queens<Fork>(n, row, so_far, middle, last); });
    return a + b;
  }
  if (!so_far.safe(row, first)) return 0;
  board next = so_far;
  next.column[row] = static_cast<std::uint8_t>(first);
  return queens<Fork>(n, row + 1, next, 0, n);
}

// Hoare's partition around the median of three, down to single numbers.
template <class Fork>
void quicksort(std::uint32_t* first, std::uint32_t* last) {
  if (last - first < 2) return;
  const std::uint32_t x = *first;
  const std::uint32_t y = first[(last - first) / 2];
  const std::uint32_t z = last[-1];
  const std::uint32_t pivot = std::max(std::min(x, y), std::min(std::max(x, y), z));
  std::uint32_t* low = first;
  std::uint32_t* high = last - 1;
  while (low <= high) {
    while (*low < pivot) ++low;
    while (*high > pivot) --high;
    if (low <= high) std::swap(*low++, *high--);
  }
  Fork::both([=] { quicksort<Fork>(first, high + 1); }, [=] { quicksort<Fork>(low, last); });
}

inline std::vector<std::uint32_t> shuffled(std::size_t size) {
  std::vector<std::uint32_t> numbers(size);
  std::uint64_t x = 88172645463325252;
  for (auto& number : numbers) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    number = static_cast<std::uint32_t>(x);
  }
  return numbers;
}

// The unbalanced tree search, tree T1: geometric, fixed, branching 4, 10 levels, root 19; 4,130,071
// nodes. A node's children follow from a hash of its own.
struct uts {
  static constexpr unsigned levels = 10;
  static constexpr double branching = 4;
  using node = sha1_digest;

  static node root() { return sha1_of_root(19); }
  static unsigned children(const node& at, unsigned depth) {
    if (depth >= levels) return 0;
    const double u = static_cast<double>(at.number() & 0x7fffffff) / 2147483648.0;
    const double p = 1.0 / (1.0 + branching);
    const double count = std::floor(std::log(1 - u) / std::log(1 - p));
    return count < 100 ? static_cast<unsigned>(count) : 100;
  }
};

template <class Fork>
std::uint64_t count_nodes(const uts::node& at, unsigned depth);

template <class Fork>
std::uint64_t count_children(const uts::node& parent, unsigned depth, unsigned first,
                             unsigned last) {
  if (last - first == 1) return count_nodes<Fork>(sha1_of_child(parent, first), depth);
  const unsigned middle = first + (last - first) / 2;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  Fork::both([&] { a = count_children<Fork>(parent, depth, first, middle); },
             [&] { b = count_children<Fork>(parent, depth, middle, last); });
  return a + b;
}

template <class Fork>
std::uint64_t count_nodes(const uts::node& at, unsigned depth) {
  const unsigned children = uts::children(at, depth);
  return children == 0 ? 1 : 1 + count_children<Fork>(at, depth + 1, 0, children);
}
}  // namespace bench
