#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <ranges>
#include <type_traits>
#include <utility>
#include <weft/detail/pieces.hpp>
#include <weft/fork_join.hpp>

namespace weft {
/// Calls f for each element of a range, or each integer in [first, last), perhaps at the same time,
/// and returns when all calls have. Elements must be reachable at random.
///
/// How finely the range is divided follows from what workers do and from how long f takes: it is
/// divided into some parts for each worker, who goes through a part in pieces of some microseconds,
/// and gives half of what is left to whoever has nothing to do. With one worker it is a loop.
///
/// The first exception that leaves f stops it: other workers stop after the piece they are in, and
/// it is rethrown. A cancellation point at its beginning and between pieces. What fork_join says of
/// branches holds for f; calls of one piece run one after another on one fiber. On a kernel thread
/// it runs in weft::run.
/// @throws what f threw; operation_canceled, deadline_exceeded
/// @code
/// weft::parallel_for(0, height, [&](int y) { render_line(y); });
/// weft::parallel_for(images, [](image& i) { i.shrink(); });
/// @endcode
template <class Index, class F>
requires(std::integral<Index> || std::random_access_iterator<Index>) void parallel_for(
    Index first, std::type_identity_t<Index> last, F&& f);
/// @copydoc parallel_for
template <std::ranges::random_access_range Range, class F>
void parallel_for(Range&& range, F&& f);

/// reduce(...reduce(reduce(identity, transform(e0)), transform(e1))..., transform(en)), where the
/// calls may be grouped anyhow, but keep their order: reduce must be associative, and need not be
/// commutative; reduce(identity, x) must be x. Divided, stopped and cancelled as parallel_for.
/// T is copyable.
/// @code
/// double sum = weft::parallel_reduce(values, 0.0, std::plus());
/// auto longest = weft::parallel_reduce(lines, std::size_t{0},
///     [](auto a, auto b) { return std::max(a, b); }, [](const std::string& s) { return s.size();
///     });
/// @endcode
template <class Index, class T, class Reduce, class Transform = std::identity>
requires(std::integral<Index> || std::random_access_iterator<Index>) [[nodiscard]] T
    parallel_reduce(Index first, std::type_identity_t<Index> last, T identity, Reduce reduce,
                    Transform transform = {});
/// @copydoc parallel_reduce
template <std::ranges::random_access_range Range, class T, class Reduce,
          class Transform = std::identity>
[[nodiscard]] T parallel_reduce(Range&& range, T identity, Reduce reduce, Transform transform = {});

/// Sorts, as std::sort: not stable, O(n log n) comparisons, in place. less may be called at the
/// same time from several workers. When less throws, the elements are in some order, and one that
/// was on its way may have been moved from, as with std::sort. Not a cancellation point.
/// @code
/// weft::parallel_sort(names);
/// weft::parallel_sort(orders.begin(), orders.end(), by_price);
/// @endcode
template <std::random_access_iterator Iterator, class Less = std::less<>>
void parallel_sort(Iterator first, Iterator last, Less less = {});
/// @copydoc parallel_sort
template <std::ranges::random_access_range Range, class Less = std::less<>>
void parallel_sort(Range&& range, Less less = {});

namespace detail {
// Where the workers are.
template <class F>
void run_on_fiber(F&& f) {
  if (is_on_fiber()) {
    f();
  } else {
    weft::run(f);
  }
}

template <class Index>
[[gnu::always_inline]] inline decltype(auto) element(Index at) {
  if constexpr (std::integral<Index>) {
    return at;
  } else {
    return *at;
  }
}

// In elements; an Index may be a narrow or unsigned integer.
template <class Index>
std::uint64_t elements_between(Index first, Index last) {
  if constexpr (std::integral<Index>) {
    return first < last ? static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) : 0;
  } else {
    return first < last ? static_cast<std::uint64_t>(last - first) : 0;
  }
}
template <class Index>
Index index_after(Index at, std::uint64_t by) {
  if constexpr (std::integral<Index>) {
    return static_cast<Index>(static_cast<std::uint64_t>(at) + by);
  } else {
    return at + static_cast<std::iter_difference_t<Index>>(by);
  }
}

// Lazy binary splitting: [first, last) is gone through in pieces by `work(from, to)`. Before each,
// if thieves have taken all that this worker offers, the rest is halved: split(first, middle)
// offers one half and goes through the other.
template <class Index, class Work, class Split>
void go_through(Index first, Index last, unsigned depth, Work&& work, Split&& split) {
  std::uint64_t most = 1;
  for (std::uint64_t left = elements_between(first, last); left > 0;) {
    between_pieces();
    if (left > 1 && wants_branches(depth)) return split(first, index_after(first, left / 2));
    const std::uint64_t count = std::min(most, left);
    const Index next = index_after(first, count);
    const std::uint64_t begun = piece_begins();
    work(first, next);
    const int verdict = piece_verdict(begun);
    if (verdict < 0 && most > 1) most /= 2;
    if (verdict > 0 && most <= left) most *= 2;
    first = next;
    left -= count;
  }
}

template <class Index, class F>
void for_each_of(Index first, Index last, unsigned depth, F& f) {
  go_through(
      first, last, depth,
      [&f](Index from, Index to) {
        for (; from != to; ++from) static_cast<void>(std::invoke(f, element(from)));
      },
      [&](Index from, Index middle) {
        fork_join([&] { for_each_of(from, middle, depth + 1, f); },
                  [&] { for_each_of(middle, last, depth + 1, f); });
      });
}

template <class Index, class T, class Reduce, class Transform>
struct reduction {
  const T& identity;
  Reduce& reduce;
  Transform& transform;

  T operator()(Index first, Index last, unsigned depth) const {
    T result = identity;
    go_through(
        first, last, depth,
        [&](Index from, Index to) {
          for (; from != to; ++from) {
            result = std::invoke(reduce, std::move(result), std::invoke(transform, element(from)));
          }
        },
        [&](Index from, Index middle) {
          T left = identity;
          T right = identity;
          fork_join([&] { left = (*this)(from, middle, depth + 1); },
                    [&] { right = (*this)(middle, last, depth + 1); });
          result = std::invoke(reduce, std::move(result), std::move(left));
          result = std::invoke(reduce, std::move(result), std::move(right));
        });
    return result;
  }
};

template <class Iterator, class Less>
Iterator median_of(Iterator a, Iterator b, Iterator c, Less& less) {
  if (less(*a, *b)) return less(*b, *c) ? b : less(*a, *c) ? c : a;
  return less(*a, *c) ? a : less(*b, *c) ? c : b;
}

// Quicksort. `depth`: how often yet a bad pivot may be chosen.
template <class Iterator, class Less>
void sort_part(Iterator first, Iterator last, unsigned depth, Less& less) {
  constexpr std::iter_difference_t<Iterator> cutoff = 2048;
  const auto size = last - first;
  if (size <= cutoff || depth == 0) return std::sort(first, last, std::ref(less));
  const auto step = size / 8;
  const Iterator middle = first + size / 2;
  const Iterator end = last - 1;
  const Iterator pivot = median_of(median_of(first, first + step, first + 2 * step, less),
                                   median_of(middle - step, middle, middle + step, less),
                                   median_of(end - 2 * step, end - step, end, less), less);
  std::iter_swap(first, pivot);
  Iterator low = first;
  Iterator high = last;
  // Equal ones stop both scans, so that many of them are halved, too.
  for (;;) {
    while (less(*++low, *first)) {
      if (low == end) break;
    }
    while (less(*first, *--high)) {
    }
    if (!(low < high)) break;
    std::iter_swap(low, high);
  }
  std::iter_swap(first, high);
  fork_join([&, high] { sort_part(first, high, depth - 1, less); },
            [&, high] { sort_part(high + 1, last, depth - 1, less); });
}
}  // namespace detail

template <class Index, class F>
requires(std::integral<Index> || std::random_access_iterator<Index>) void parallel_for(
    Index first, std::type_identity_t<Index> last, F&& f) {
  detail::run_on_fiber([&] { detail::for_each_of(first, last, 0, f); });
}

template <std::ranges::random_access_range Range, class F>
void parallel_for(Range&& range, F&& f) {
  const auto first = std::ranges::begin(range);
  parallel_for(first, std::ranges::next(first, std::ranges::end(range)), std::forward<F>(f));
}

template <class Index, class T, class Reduce, class Transform>
requires(std::integral<Index> || std::random_access_iterator<Index>) T
    parallel_reduce(Index first, std::type_identity_t<Index> last, T identity, Reduce reduce,
                    Transform transform) {
  T result = identity;
  detail::run_on_fiber([&] {
    result =
        detail::reduction<Index, T, Reduce, Transform>{identity, reduce, transform}(first, last, 0);
  });
  return result;
}

template <std::ranges::random_access_range Range, class T, class Reduce, class Transform>
T parallel_reduce(Range&& range, T identity, Reduce reduce, Transform transform) {
  const auto first = std::ranges::begin(range);
  return parallel_reduce(first, std::ranges::next(first, std::ranges::end(range)),
                         std::move(identity), std::move(reduce), std::move(transform));
}

template <std::random_access_iterator Iterator, class Less>
void parallel_sort(Iterator first, Iterator last, Less less) {
  unsigned depth = 4;
  for (auto size = last - first; size > 1; size /= 2) depth += 2;
  detail::run_on_fiber([&] { detail::sort_part(first, last, depth, less); });
}

template <std::ranges::random_access_range Range, class Less>
void parallel_sort(Range&& range, Less less) {
  const auto first = std::ranges::begin(range);
  parallel_sort(first, std::ranges::next(first, std::ranges::end(range)), std::move(less));
}
}  // namespace weft
