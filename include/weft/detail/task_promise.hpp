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
  bool has_begun() const noexcept { return static_cast<bool>(awaiting_); }

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
  template <class V = T>
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

// A coroutine that begins at once, and whose frame goes before its result is told of, so that
// nothing of what was awaited is alive when somebody has that.
template <class Result>
struct driven {
  class promise_type {
   public:
    template <class A>
    promise_type(A& /*awaitable*/, state_ref<future_state<Result>>& to) noexcept
        : to_(std::move(to)) {}
    driven get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    auto final_suspend() const noexcept {
      struct end {
        bool await_ready() const noexcept { return false; }
        // Not inlined: some compilers would keep `to` in the frame that goes here.
        [[gnu::noinline]] void await_suspend(
            std::coroutine_handle<promise_type> frame) const noexcept {
          const state_ref<future_state<Result>> to = std::move(frame.promise().to_);
          frame.destroy();
          to->end_set();
        }
        void await_resume() const noexcept {}
      };
      return end{};
    }
    template <class Get>
    void return_value(Get&& get) noexcept {
      to_->fill(std::forward<Get>(get));
    }
    void unhandled_exception() noexcept {
      to_->fill([error = std::current_exception()]() -> Result { std::rethrow_exception(error); });
    }

   private:
    state_ref<future_state<Result>> to_;
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
using awaited = decltype(awaiter_of(std::declval<A>()).await_resume());
// What an rvalue refers to may be gone with the frame.
template <class A>
using await_result = std::conditional_t<std::is_rvalue_reference_v<awaited<A>>,
                                        std::remove_reference_t<awaited<A>>, awaited<A>>;

// An rvalue lives in the frame, a reference is the caller's, who waits.
template <class Result, class A>
driven<Result> drive_frame(A awaitable, state_ref<future_state<Result>> /*to*/) {
  if constexpr (std::is_void_v<Result>) {
    co_await std::forward<A>(awaitable);
    co_return [] {};
  } else {
    auto&& result = co_await std::forward<A>(awaitable);
    co_return [&result]() -> Result { return std::forward<decltype(result)>(result); };
  }
}
template <class Result, class A>
void drive(A&& awaitable, state_ref<future_state<Result>> to) {
  drive_frame<Result, A>(std::forward<A>(awaitable), std::move(to));
}
}  // namespace detail
}  // namespace weft
