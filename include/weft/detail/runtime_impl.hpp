#pragma once
// The templates behind <weft/runtime.hpp>.
#include <weft/runtime.hpp>

namespace weft::detail {
// Spawns fn(arg) on the core and waits for its end, on a fiber or a thread. Null: the running
// fiber's core, or the default one.
void run_and_wait(runtime_core* core, void (*fn)(void*), void* arg, source_site site);

template <class R>
struct run_state {
  std::optional<R> value;
  template <class Call>
  void fill(Call&& call) {
    value.emplace(call());
  }
  R take() { return std::move(*value); }
};
template <class R>
struct run_state<R&> {
  R* value = nullptr;
  template <class Call>
  void fill(Call&& call) {
    value = &call();
  }
  R& take() { return *value; }
};
template <>
struct run_state<void> {
  template <class Call>
  void fill(Call&& call) {
    call();
  }
  void take() {}
};

template <class F, class... A>
auto run_on(runtime_core* core, source_site site, F&& f, A&&... args)
    -> std::invoke_result_t<F, A...> {
  run_state<std::invoke_result_t<F, A...>> state;
  std::exception_ptr error;
  // By reference: the caller waits.
  auto task = [&] {
    try {
      state.fill([&]() -> std::invoke_result_t<F, A...> {
        return std::invoke(std::forward<F>(f), std::forward<A>(args)...);
      });
    } catch (...) {
      error = std::current_exception();
    }
  };
  run_and_wait(
      core, [](void* t) { (*static_cast<decltype(task)*>(t))(); }, &task, site);
  if (error) std::rethrow_exception(std::move(error));
  return state.take();
}
}  // namespace weft::detail

namespace weft {
template <class F, class... A>
auto runtime::run(F&& f, A&&... args) -> std::invoke_result_t<F, A...> {
  return detail::run_on(core_, {}, std::forward<F>(f), std::forward<A>(args)...);
}

template <class F, class... A>
auto run(F&& f, A&&... args) -> std::invoke_result_t<F, A...> {
  return detail::run_on(nullptr, {}, std::forward<F>(f), std::forward<A>(args)...);
}
}  // namespace weft
