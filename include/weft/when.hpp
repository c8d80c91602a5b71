#pragma once
#include <array>
#include <cstddef>
#include <iterator>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>
#include <weft/detail/when_state.hpp>
#include <weft/future.hpp>

namespace weft {
/// What when_any tells: which future was the first to be ready, and all of them. `index` is
/// std::size_t(-1) if there was none.
/// @code
/// auto first = weft::when_any(std::move(a), std::move(b)).get();
/// if (first.index == 0) use(std::get<0>(first.futures).get());
/// @endcode
template <class Sequence>
struct when_any_result {
  std::size_t index = static_cast<std::size_t>(-1);  ///< the first that was ready
  Sequence futures;                                  ///< all of them, in their order
};

/// The future of all these futures' being ready, as asyncio's gather: its result is the tuple of
/// them, each ready, to be asked for its value or exception. Takes future and shared_future, mixed;
/// they are not valid afterwards. Never parks; functions that are deferred run in this call.
/// No fiber. @throws std::future_error no_state: one is not valid; std::bad_alloc. Nothing was done
/// then, and the futures are as they were.
template <class... Future>
requires(detail::is_future<std::decay_t<Future>>&&...)
    [[nodiscard]] auto when_all(Future&&... futures)
        -> future<std::tuple<std::decay_t<Future>...>> {
  using Sequence = std::tuple<std::decay_t<Future>...>;
  (detail::check_valid(futures), ...);
  return detail::when_all_state<Sequence>::begin(
      Sequence(), sizeof...(Future), [&]([[maybe_unused]] Sequence& places) noexcept {
        places = std::forward_as_tuple(std::forward<Future>(futures)...);
      });
}

/// The same for a range of futures, which are moved from: its result is a vector of them.
template <class Iterator>
requires(!detail::is_future<std::decay_t<Iterator>>)
    [[nodiscard]] auto when_all(Iterator first, Iterator last)
        -> future<std::vector<std::iter_value_t<Iterator>>> {
  auto places = detail::places_for(first, last);
  const std::size_t count = places.size();
  return detail::when_all_state<decltype(places)>::begin(std::move(places), count,
                                                         [first](auto& all) mutable {
                                                           for (auto& each : all)
                                                             each = std::move(*first++);
                                                         });
}

/// The future of the first of these futures' being ready, as asyncio's wait. Its result holds all
/// of them; those that are not ready yet can be waited for again. Otherwise as when_all. With no
/// futures it is ready at once.
template <class... Future>
requires(detail::is_future<std::decay_t<Future>>&&...)
    [[nodiscard]] auto when_any(Future&&... futures)
        -> future<when_any_result<std::tuple<std::decay_t<Future>...>>> {
  using Sequence = std::tuple<std::decay_t<Future>...>;
  (detail::check_valid(futures), ...);
  return detail::when_any_state<when_any_result<Sequence>, Sequence>::begin(
      Sequence(), sizeof...(Future), [&]([[maybe_unused]] Sequence& places) noexcept {
        places = std::forward_as_tuple(std::forward<Future>(futures)...);
      });
}

/// The same for a range of futures, which are moved from.
template <class Iterator>
requires(!detail::is_future<std::decay_t<Iterator>>)
    [[nodiscard]] auto when_any(Iterator first, Iterator last)
        -> future<when_any_result<std::vector<std::iter_value_t<Iterator>>>> {
  using Sequence = std::vector<std::iter_value_t<Iterator>>;
  Sequence places = detail::places_for(first, last);
  const std::size_t count = places.size();
  return detail::when_any_state<when_any_result<Sequence>, Sequence>::begin(
      std::move(places), count, [first](auto& all) mutable {
        for (auto& each : all) each = std::move(*first++);
      });
}
}  // namespace weft
