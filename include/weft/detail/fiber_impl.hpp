#pragma once
// The templates behind <weft/fiber.hpp>.
#include <weft/detail/time.hpp>
#include <weft/fiber.hpp>

namespace weft {
template <class F>
inline detail::control_block* fiber::start(source_site site, F&& f) {
  using Task = std::decay_t<F>;
  if constexpr (detail::is_bytes<Task> && std::is_invocable_v<Task> &&
                !std::is_invocable_v<Task, std::stop_token>) {
    constexpr std::size_t words = (sizeof(Task) + 7) / 8;
    alignas(16) std::byte closure[words * 8];
    ::new (closure) Task(std::forward<F>(f));
    return detail::spawn_copied(closure, words, detail::invoke_inline<Task>, site);
  } else {
    return start(detail::begin_spawn(nullptr, site), std::forward<F>(f));
  }
}

template <class F, class... A>
detail::control_block* fiber::start(detail::spawn_place place, F&& f, A&&... a) {
  static constexpr bool takes_token =
      std::is_invocable_v<std::decay_t<F>, std::stop_token, std::decay_t<A>...>;
  static_assert(takes_token || std::is_invocable_v<std::decay_t<F>, std::decay_t<A>...>,
                "weft::fiber: the callable cannot be called with these arguments (decay-copied, as "
                "for std::jthread; wrap references in std::ref)");
  return detail::finish_spawn(place, [&] {
    // Here, so that a lack of memory is the spawner's to deal with.
    if constexpr (takes_token) detail::make_stop_state(*place.block);
    return [f = std::decay_t<F>(std::forward<F>(f)),
            a = std::tuple<std::decay_t<A>...>(std::forward<A>(a)...)]() mutable {
      std::apply(
          [&f](auto&... each) {
            if constexpr (takes_token) {
              std::invoke(std::move(f), this_fiber::get_stop_token(), std::move(each)...);
            } else {
              std::invoke(std::move(f), std::move(each)...);
            }
          },
          a);
    };
  });
}

template <class R, class P>
void this_fiber::sleep_for(const std::chrono::duration<R, P>& duration) {
  if (detail::stopped_sleeping_until(weft::detail::deadline_after(duration)))
    throw operation_canceled();
}

template <class C, class D>
void this_fiber::sleep_until(const std::chrono::time_point<C, D>& time) {
  do {
    if (detail::stopped_sleeping_until(weft::detail::deadline_at(time))) throw operation_canceled();
    // Virtual time does not move a clock of the world.
  } while (!C::is_steady && C::now() < time && !weft::detail::note_real_clock());
}
}  // namespace weft
