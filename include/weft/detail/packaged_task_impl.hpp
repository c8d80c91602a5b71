#pragma once
// The part of <weft/future.hpp> about weft::packaged_task.
#include <functional>
#include <weft/future.hpp>

namespace weft {
namespace detail {
template <class R, class... A>
class task_state : public future_state<R> {
 public:
  // Stores what the callable returns or throws; end_set() is left to the caller.
  // @throws std::future_error promise_already_satisfied
  virtual void call(A... args) = 0;
  // A new one with the same callable, moved.
  virtual state_ref<task_state> again() = 0;
};

template <class F, class R, class... A>
class task_state_of final : public task_state<R, A...> {
 public:
  template <class G>
  explicit task_state_of(G&& f) : f_(std::forward<G>(f)) {}
  void call(A... args) override {
    if (!this->begin_set()) throw_future_error(std::future_errc::promise_already_satisfied);
    this->fill([&]() -> R { return std::invoke(f_, std::forward<A>(args)...); });
  }
  state_ref<task_state<R, A...>> again() override {
    return state_ref<task_state_of>(new task_state_of(std::move(f_)));
  }

 private:
  ~task_state_of() override = default;
  F f_;
};
}  // namespace detail

/// std::packaged_task [futures.task]: a callable whose result goes to a future. Calling it runs it
/// in the caller. One allocation.
/// @code
/// weft::packaged_task<int(int)> square([](int n) { return n * n; });
/// auto result = square.get_future();
/// weft::fiber(std::move(square), 7).join();
/// @endcode
template <class R, class... A>
class packaged_task<R(A...)> {
 public:
  /// Not valid.
  packaged_task() noexcept = default;
  /// The callable is copied or moved.
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, packaged_task>) explicit packaged_task(F&& f)
      : state_(detail::state_ref<detail::task_state_of<std::decay_t<F>, R, A...>>(
            new detail::task_state_of<std::decay_t<F>, R, A...>(std::forward<F>(f)))) {}
  packaged_task(packaged_task&&) noexcept = default;
  packaged_task& operator=(packaged_task&& other) noexcept {
    packaged_task(std::move(other)).swap(*this);
    return *this;
  }
  packaged_task(const packaged_task&) = delete;
  packaged_task& operator=(const packaged_task&) = delete;
  /// Stores std::future_error broken_promise if it was never called.
  ~packaged_task() {
    if (state_) state_->break_promise();
  }

  /// Whether there is a callable.
  bool valid() const noexcept { return static_cast<bool>(state_); }
  /// Exchanges what they hold.
  void swap(packaged_task& other) noexcept { std::swap(state_, other.state_); }
  /// The future, once. @throws std::future_error future_already_retrieved, no_state
  future<R> get_future() {
    state_.checked().retrieve();
    return detail::future_access::make<R>(detail::state_ref<detail::task_state<R, A...>>(state_));
  }
  /// Calls it, once, and makes the future ready with what it returns or throws.
  /// @throws std::future_error promise_already_satisfied, no_state
  void operator()(A... args) {
    auto& to = state_.checked();
    to.call(std::forward<A>(args)...);
    to.end_set();
  }
  /// The same, but the future is ready only when the running fiber or kernel thread ends, its
  /// locals included. @throws as above; std::bad_alloc, std::system_error, and nothing was called
  void make_ready_at_thread_exit(A... args) {
    auto& to = state_.checked();
    detail::set_at_exit later;
    to.call(std::forward<A>(args)...);
    later.commit(to);
  }
  /// As new, with a future to come. @throws std::future_error no_state
  void reset() { *this = packaged_task(state_.checked().again()); }

 private:
  using state = detail::state_ref<detail::task_state<R, A...>>;
  explicit packaged_task(state s) noexcept : state_(std::move(s)) {}
  state state_;
};

namespace detail {
// R(A...) of a callable object that is not overloaded.
template <class Call>
struct signature_of {};
template <class R, class C, class... A, bool N>
struct signature_of<R (C::*)(A...) noexcept(N)> : std::type_identity<R(A...)> {};
template <class R, class C, class... A, bool N>
struct signature_of<R (C::*)(A...) const noexcept(N)> : std::type_identity<R(A...)> {};
template <class R, class C, class... A, bool N>
struct signature_of<R (C::*)(A...)& noexcept(N)> : std::type_identity<R(A...)> {};
template <class R, class C, class... A, bool N>
struct signature_of<R (C::*)(A...) const& noexcept(N)> : std::type_identity<R(A...)> {};
}  // namespace detail

/// As std's: of a function.
template <class R, class... A>
packaged_task(R (*)(A...)) -> packaged_task<R(A...)>;
/// Of an object whose operator() is neither overloaded nor a template.
template <class F>
packaged_task(F) -> packaged_task<typename detail::signature_of<decltype(&F::operator())>::type>;

/// Exchanges what they hold.
template <class R, class... A>
void swap(packaged_task<R(A...)>& a, packaged_task<R(A...)>& b) noexcept {
  a.swap(b);
}
}  // namespace weft
