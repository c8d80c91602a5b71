#pragma once
#include <coroutine>
#include <exception>
#include <future>
#include <optional>
#include <type_traits>
#include <utility>
#include <weft/cancel_shield.hpp>
#include <weft/channel.hpp>
#include <weft/detail/coroutine_wait.hpp>
#include <weft/detail/task_promise.hpp>
#include <weft/event.hpp>
#include <weft/future.hpp>

/// @file
/// C++20 coroutines beside fibers. A coroutine of any type may co_await a weft::future, a
/// weft::shared_future, a weft::event or the next value of a weft::channel: while it waits it costs
/// a control block and no stack, and it goes on on a fiber of the runtime that the wait began on
/// (from a kernel thread: the default one). It may then do what fibers may, park included. The
/// other way round, weft::await waits on a fiber or kernel thread for anything that can be
/// co_awaited.
///
/// It may be destroyed while it waits, by whoever knows that nothing resumes it at the same time.
/// If its wait has been ended already, by a result, a set(), a value, a close() or the end of its
/// runtime, it is about to run, and its destruction ends the process with a line. It does not in a
/// forked child, nor where the default runtime has been stopped because the process exits.
///
/// gcc 12 miscompiles a co_await that is itself a condition, `while (co_await numbers)` or `if`,
/// when what it makes has a destructor, in any library: give the result a name, as below.
namespace weft {
namespace detail {
// Each await_suspend is a part of the coroutine in every build, so that a dump shows the place of
// the co_await.
template <class T, class Result>
struct future_awaiter {
  state_ref<future_state<T>> state;
  queued_coroutine wait{};

  bool await_ready() const noexcept { return state->is_ready(); }
  [[gnu::always_inline]] bool await_suspend(std::coroutine_handle<> who) {
    return wait.begin(*state.get(), who);
  }
  Result await_resume() {
    wait.end();
    if constexpr (std::is_same_v<Result, T>) {
      return state->take();
    } else {
      return state->look();
    }
  }
};

struct event_awaiter {
  event& of;
  queued_coroutine wait{};

  bool await_ready() const noexcept { return of.is_set(); }
  [[gnu::always_inline]] bool await_suspend(std::coroutine_handle<> who) {
    return wait.begin(of, who);
  }
  void await_resume() const { wait.end(); }
};

template <class T>
struct receive_awaiter {
  std::optional<T> value;  // outlives the wait, which is what delivers to it
  receiving_coroutine wait;

  bool await_ready() noexcept { return wait.try_now(into_optional(value)); }
  [[gnu::always_inline]] bool await_suspend(std::coroutine_handle<> who) {
    return wait.begin(into_optional(value), who);
  }
  std::optional<T> await_resume() {
    wait.end();
    return std::move(value);
  }
};
}  // namespace detail

/// `co_await std::move(f)`: what f.get() returns or throws. f is not valid afterwards.
/// @throws std::future_error no_state; operation_canceled when the runtime ends meanwhile
template <class T>
auto operator co_await(future<T>&& f) {
  auto state = std::move(detail::future_access::state(f));
  static_cast<void>(state.checked());
  return detail::future_awaiter<T, T>{std::move(state)};
}
/// `co_await f`: what f.get() returns or throws, for as often as it is asked.
/// @throws as above
template <class T>
auto operator co_await(shared_future<T> f) {
  auto state = detail::future_access::state(f);
  using Look = decltype(std::as_const(state.checked()).look());
  return detail::future_awaiter<T, Look>{std::move(state)};
}
/// `co_await e`: until it is set. @throws operation_canceled when the runtime ends meanwhile
inline auto operator co_await(event& e) noexcept {
  return detail::event_awaiter{e};
}

/// `co_await c`: what c.receive() returns: the next value, or nullopt when the channel is closed
/// and drained. Coroutines, fibers and kernel threads are served in the order in which they came.
/// @throws operation_canceled when the runtime ends meanwhile: nothing was received then
/// @code
/// while (std::optional<int> n = co_await numbers) use(*n);
/// @endcode
template <class T>
auto operator co_await(channel<T>& c) noexcept {
  return detail::receive_awaiter<T>{std::nullopt, detail::receiving_coroutine(c)};
}

/// A coroutine with a result, that begins when it is awaited: `co_await std::move(t)` in another
/// coroutine, weft::await(std::move(t)) on a fiber or kernel thread. A chain of tasks goes forth
/// and back without growing the stack. Move-only; one that is never awaited never runs.
/// @code
/// weft::task<int> twice(weft::future<int> f) { co_return 2 * co_await std::move(f); }
/// int n = weft::await(twice(weft::async(compute)));
/// @endcode
template <class T = void>
class [[nodiscard]] task {
 public:
  /// What the language asks for.
  using promise_type = detail::task_promise<T>;

  /// Leaves the other one empty: it may only be destroyed or assigned to.
  task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  /// Exchanges the two.
  task& operator=(task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~task() {
    if (frame_) frame_.destroy();
  }
  /// Runs it, and gives what it returns or throws; once.
  /// @throws std::future_error no_state: moved from, or awaited before
  auto operator co_await() && {
    if (!frame_ || frame_.promise().has_begun()) {
      detail::throw_future_error(std::future_errc::no_state);
    }
    return detail::task_awaiter<T>{frame_};
  }

 private:
  friend promise_type;
  explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

/// @cond
template <class T>
task<T> detail::task_promise<T>::get_return_object() noexcept {
  return task<T>(std::coroutine_handle<task_promise>::from_promise(*this));
}
inline task<void> detail::task_promise<void>::get_return_object() noexcept {
  return task<void>(std::coroutine_handle<task_promise>::from_promise(*this));
}
/// @endcond

/// Waits for what co_await would: runs it up to its first suspension here, and parks the fiber (or
/// puts the kernel thread to sleep) until it is done, wherever that happens. Returns its result or
/// throws its exception. The wait is shielded from stops and deadlines: a coroutine cannot be left
/// half done. The awaitable is moved from if it is an rvalue.
template <class Awaitable>
decltype(auto) await(Awaitable&& awaitable) {
  using Result = detail::await_result<Awaitable>;
  using State = detail::future_state<Result>;
  detail::state_ref<State> state(new State);
  future<Result> to = detail::future_access::make<Result>(state);
  detail::drive<Result>(std::forward<Awaitable>(awaitable), std::move(state));
  const cancel_shield whole;
  return to.get();
}
}  // namespace weft
