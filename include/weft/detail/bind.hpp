#pragma once
#include <functional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weft::this_fiber {
std::stop_token get_stop_token() noexcept;
}

namespace weft::detail {
// A callable and its decay-copied arguments, called once, as an rvalue of each, as std::jthread
// does; with the running fiber's stop token first if it takes one.
template <class F, class... A>
struct bound {
  static constexpr bool takes_token = std::is_invocable_v<F, std::stop_token, A...>;
  static_assert(takes_token || std::is_invocable_v<F, A...>,
                "weft: the callable cannot be called with these arguments (decay-copied, as for "
                "std::jthread; wrap references in std::ref)");

  F f;
  [[no_unique_address]] std::tuple<A...> arguments;

  decltype(auto) operator()() && {
    return std::apply(
        [this](A&... each) -> decltype(auto) {
          if constexpr (takes_token) {
            return std::invoke(std::move(f), this_fiber::get_stop_token(), std::move(each)...);
          } else {
            return std::invoke(std::move(f), std::move(each)...);
          }
        },
        arguments);
  }
};
}  // namespace weft::detail
