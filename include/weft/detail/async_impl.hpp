#pragma once
// The part of <weft/future.hpp> about functions run for their results.
#include <weft/detail/bind.hpp>
#include <weft/future.hpp>

namespace weft {
namespace detail {
template <class F, class... A>
using async_result = decltype(std::declval<bound<std::decay_t<F>, std::decay_t<A>...>>()());

// What the function needs goes before its result is told of, so that nothing of it is alive when
// somebody has that.
template <class T, class Bound>
class calling_state : public future_state<T> {
 protected:
  template <class F, class... A>
  explicit calling_state(bool deferred, F&& f, A&&... a)
      : future_state<T>(deferred), call_(Bound{std::forward<F>(f), {std::forward<A>(a)...}}) {}
  void call() noexcept {
    static_cast<void>(this->begin_set());
    this->fill([this]() -> T { return std::move(*call_)(); });
    call_.reset();
    this->end_set();
  }

 private:
  std::optional<Bound> call_;
};

template <class T, class Bound>
class async_state final : public calling_state<T, Bound> {
 public:
  template <class F, class... A>
  explicit async_state(F&& f, A&&... a)
      : calling_state<T, Bound>(false, std::forward<F>(f), std::forward<A>(a)...) {}
  void start(source_site site) {
    spawn_place place = begin_spawn(nullptr, site);
    try {
      if constexpr (Bound::takes_token) make_stop_state(*place.block);
    } catch (...) {
      abandon_spawn(place.block);
      throw;
    }
    maker_ = place.block;
    ::new (place.closure) async_state*(this);
    commit_spawn(place.block,
                 [](void* closure) { (*static_cast<async_state**>(closure))->call(); });
  }

 private:
  ~async_state() override = default;
  void destroy() noexcept override {
    if (!maker_ || this->join_maker(maker_)) delete this;
  }
  control_block* maker_ = nullptr;
};

template <class T, class Bound>
class deferred_state final : public calling_state<T, Bound> {
 public:
  template <class F, class... A>
  explicit deferred_state(F&& f, A&&... a)
      : calling_state<T, Bound>(true, std::forward<F>(f), std::forward<A>(a)...) {}

 private:
  ~deferred_state() override = default;
  void run_deferred() noexcept override { this->call(); }
};
}  // namespace detail

/// std::async [futures.async]: runs f(args...) on a fiber of its own, or, with launch::deferred
/// alone, in the first wait for it, and returns the future of its result. A function that can be
/// called with a std::stop_token before the arguments gets one, as with std::jthread, also if it
/// could be called without. Arguments are decay-copied. The fiber runs on the caller's runtime, or
/// on the default one from a kernel thread.
///
/// Function and arguments are destroyed before the result can be had. The fiber ends a little
/// later, and its fiber_locals with it: wait(), and get() of a shared_future, may have returned by
/// then. Who lets go of the last future, as get() of a future does, waits for that, too.
/// @throws std::system_error when no further fiber may exist; the text names the limit
template <class F, class... A>
[[nodiscard]] auto async(std::launch policy, F&& f, A&&... args)
    -> future<detail::async_result<F, A...>> {
  using T = detail::async_result<F, A...>;
  using Bound = detail::bound<std::decay_t<F>, std::decay_t<A>...>;
  if ((policy & std::launch::async) == std::launch{}) {
    using State = detail::deferred_state<T, Bound>;
    return detail::future_access::make<T>(
        detail::state_ref<State>(new State(std::forward<F>(f), std::forward<A>(args)...)));
  }
  using State = detail::async_state<T, Bound>;
  detail::state_ref<State> state(new State(std::forward<F>(f), std::forward<A>(args)...));
  state->start({});
  return detail::future_access::make<T>(std::move(state));
}

/// The same on a fiber of its own.
template <class F, class... A>
requires(!std::is_same_v<std::remove_cvref_t<F>, std::launch>)
    [[nodiscard]] auto async(F&& f, A&&... args) {
  return weft::async(std::launch::async, std::forward<F>(f), std::forward<A>(args)...);
}
}  // namespace weft
