#pragma once
// The coroutine machinery behind <weft/coroutine.hpp>.
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <weft/future.hpp>

namespace weft {
template <class T>
class task;

namespace detail {
class task_promise_base {
 public:
  std::suspend_always initial_suspend() const noexcept { return {}; }
  auto final_suspend() const noexcept {
    struct back {
      bool await_ready() const noexcept { return false; }
      // Symmetric transfer: a chain of any length ends on one stack frame.
      std::coroutine_handle<> await_suspend(std::coroutine_handle<>) const noexcept { return to; }
      void await_resume() const noexcept {}
      std::coroutine_handle<> to;
    };
    return back{awaiting_};
  }
  void unhandled_exception() noexcept { error_ = std::current_exception(); }
  void awaited_by(std::coroutine_handle<> who) noexcept { awaiting_ = who; }

 protected:
  void rethrow_if_failed() {
    if (error_) std::rethrow_exception(std::move(error_));
  }

 private:
  std::coroutine_handle<> awaiting_;
  std::exception_ptr error_;
};

template <class T>
class task_promise : public task_promise_base {
 public:
  task<T> get_return_object() noexcept;
  template <class V>
  void return_value(V&& value) {
    if constexpr (std::is_reference_v<T>) {
      value_ = std::addressof(value);
    } else {
      value_.emplace(std::forward<V>(value));
    }
  }
  T result() {
    rethrow_if_failed();
    if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(*value_);
    } else {
      return std::move(*value_);
    }
  }

 private:
  std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, std::optional<T>>
      value_{};
};

template <>
class task_promise<void> : public task_promise_base {
 public:
  task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void result() { rethrow_if_failed(); }
};

template <class T>
struct task_awaiter {
  std::coroutine_handle<task_promise<T>> frame;

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> who) const noexcept {
    frame.promise().awaited_by(who);
    return frame;
  }
  T await_resume() const { return frame.promise().result(); }
};

// A coroutine that nobody waits for: it begins at once and frees itself.
struct detached {
  struct promise_type {
    detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const { throw; }
  };
};

template <class A>
decltype(auto) awaiter_of(A&& a) {
  if constexpr (requires { std::forward<A>(a).operator co_await(); }) {
    return std::forward<A>(a).operator co_await();
  } else if constexpr (requires { operator co_await(std::forward<A>(a)); }) {
    return operator co_await(std::forward<A>(a));
  } else {
    return std::forward<A>(a);
  }
}
template <class A>
using await_result = decltype(awaiter_of(std::declval<A>()).await_resume());

// An rvalue lives in the frame, a reference is the caller's, who waits.
template <class Result, class A>
detached drive_frame(A awaitable, promise<Result> to) {
  try {
    if constexpr (std::is_void_v<Result>) {
      co_await std::forward<A>(awaitable);
      to.set_value();
    } else {
      to.set_value(co_await std::forward<A>(awaitable));
    }
  } catch (...) {
    to.set_exception(std::current_exception());
  }
}
template <class Result, class A>
void drive(A&& awaitable, promise<Result> to) {
  drive_frame<Result, A>(std::forward<A>(awaitable), std::move(to));
}
}  // namespace detail
}  // namespace weft
