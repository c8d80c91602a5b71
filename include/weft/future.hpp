#pragma once
#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>
#include <weft/detail/future_state.hpp>
#include <weft/detail/time.hpp>

namespace weft {
template <class T>
class shared_future;
template <class T>
class promise;
template <class>
class packaged_task;

namespace detail {
struct future_access;

// What future and shared_future have in common.
template <class T>
class basic_future {
 public:
  /// Whether there is a result to come or to be had.
  bool valid() const noexcept { return static_cast<bool>(state_); }
  /// Waits until the result is there. A cancellation point. Runs a deferred function.
  /// @throws std::future_error no_state: not valid; operation_canceled, deadline_exceeded
  void wait() const { state_.checked().wait(); }
  /// Waits no longer than that. A cancellation point.
  template <class R, class P>
  std::future_status wait_for(const std::chrono::duration<R, P>& limit) const {
    return state_.checked().wait_until(deadline_after(limit));
  }
  /// The same until that time.
  template <class C, class D>
  std::future_status wait_until(const std::chrono::time_point<C, D>& time) const {
    std::future_status status{};
    detail::wait_until(time, [&](std::int64_t at) {
      status = state_.checked().wait_until(at);
      return status != std::future_status::timeout;
    });
    return status;
  }

 protected:
  friend struct future_access;
  basic_future() noexcept = default;
  explicit basic_future(state_ref<future_state<T>> state) noexcept : state_(std::move(state)) {}
  state_ref<future_state<T>> state_;
};
}  // namespace detail

/// std::future [futures.unique.future] for fibers and kernel threads, mixed: who waits for it parks
/// or sleeps. Its waits are cancellation points; one that was cancelled can be repeated.
///
/// The destructor of a future that weft::async made waits until the function has ended, and passes
/// a request to stop the waiting fiber on to it.
///
/// Beside get() and share() it has std's valid(), wait(), wait_for() and wait_until().
/// @code
/// weft::future<int> sum = weft::async([&] { return add(left); });
/// use(sum.get());
/// @endcode
template <class T>
class future : public detail::basic_future<T> {
 public:
  /// Not valid.
  future() noexcept = default;
  /// Leaves the other one not valid.
  future(future&&) noexcept = default;
  /// The same; what was held so far is let go, as by the destructor.
  future& operator=(future&&) noexcept = default;
  future(const future&) = delete;
  future& operator=(const future&) = delete;
  ~future() = default;

  /// Waits, and returns the result or throws the exception, once: not valid afterwards. A
  /// cancellation point: when that throws, the future is still valid.
  /// @throws std::future_error no_state
  T get() {
    this->wait();
    auto state = std::move(this->state_);
    return state->take();
  }
  /// The same result for many. Not valid afterwards.
  shared_future<T> share() noexcept;

 private:
  friend struct detail::future_access;
  using detail::basic_future<T>::basic_future;
};

/// std::shared_future [futures.shared.future]: a result that many may have. Copies of one may be
/// used by different fibers at the same time. Beside get() it has std's valid(), wait(), wait_for()
/// and wait_until().
/// @code
/// weft::shared_future<config> ready = load.share();
/// @endcode
template <class T>
class shared_future : public detail::basic_future<T> {
 public:
  /// Not valid.
  shared_future() noexcept = default;
  /// Shares the result.
  shared_future(const shared_future&) noexcept = default;
  /// Leaves the other one not valid.
  shared_future(shared_future&&) noexcept = default;
  /// Shares the result; what was held so far is let go.
  shared_future& operator=(const shared_future&) noexcept = default;
  /// The same, and leaves the other one not valid.
  shared_future& operator=(shared_future&&) noexcept = default;
  /// Takes over the future's result.
  shared_future(future<T>&& from) noexcept : shared_future(from.share()) {}
  ~shared_future() = default;

  /// Waits, and returns a reference to the result (for T& and void: as future::get), or throws the
  /// exception. A cancellation point. @throws std::future_error no_state
  decltype(auto) get() const {
    this->wait();
    return std::as_const(*this->state_.get()).look();
  }

 private:
  friend struct detail::future_access;
  using detail::basic_future<T>::basic_future;
};

namespace detail {
// How the other templates of the library make and open futures.
struct future_access {
  template <class T>
  static future<T> make(state_ref<future_state<T>> state) noexcept {
    return future<T>(std::move(state));
  }
  template <class T>
  static shared_future<T> make_shared(state_ref<future_state<T>> state) noexcept {
    return shared_future<T>(std::move(state));
  }
  template <class T>
  static state_ref<future_state<T>>& state(basic_future<T>& of) noexcept {
    return of.state_;
  }
};

// What promise<T>, promise<T&> and promise<void> have in common.
template <class T>
class basic_promise {
 public:
  basic_promise() : state_(new future_state<T>) {}
  template <class Allocator>
  basic_promise(std::allocator_arg_t, const Allocator& from)
      : state_(allocated_state<T, Allocator>::make(from)) {}
  basic_promise(basic_promise&&) noexcept = default;
  basic_promise& operator=(basic_promise&& other) noexcept {
    basic_promise(std::move(other)).swap(*this);
    return *this;
  }
  basic_promise(const basic_promise&) = delete;
  basic_promise& operator=(const basic_promise&) = delete;
  /// Stores std::future_error broken_promise if nothing was stored; std::bad_alloc if there is no
  /// memory for that.
  ~basic_promise() {
    if (state_) state_->break_promise();
  }
  void swap(basic_promise& other) noexcept { std::swap(state_, other.state_); }

  /// The future, once. @throws std::future_error future_already_retrieved, no_state
  future<T> get_future() {
    state_.checked().retrieve();
    return future_access::make<T>(state_);
  }
  /// Makes the future ready with an exception. Never parks.
  /// @throws std::future_error promise_already_satisfied, no_state
  void set_exception(std::exception_ptr error) { state_.checked().set_exception(std::move(error)); }
  /// The same, but ready only when the running fiber or kernel thread ends.
  /// @throws as above; std::bad_alloc, std::system_error, and nothing was stored
  void set_exception_at_thread_exit(std::exception_ptr error) {
    state_.checked().set_exception_at_exit(std::move(error));
  }

 protected:
  state_ref<future_state<T>> state_;
};
}  // namespace detail

/// std::promise [futures.promise]: the place where a result is stored, from any context. Storing
/// never parks. One allocation, by an allocator if one is given as std's are. Beside set_value() it
/// has std's get_future(), set_exception() and swap().
///
/// set_value_at_thread_exit() and set_exception_at_thread_exit() store at once, but the future is
/// ready only when the fiber that calls them has ended, on a kernel thread when that has: its
/// locals are destroyed by then. Who joins it finds the future ready.
/// @code
/// weft::promise<int> answer;
/// auto later = answer.get_future();
/// answer.set_value(42);
/// @endcode
template <class T>
class promise : public detail::basic_promise<T> {
 public:
  using detail::basic_promise<T>::basic_promise;
  /// Makes the future ready. @throws std::future_error promise_already_satisfied, no_state; what
  /// the copy throws: nothing is stored then
  void set_value(const T& value) { this->state_.checked().set_value(value); }
  /// @copydoc set_value
  void set_value(T&& value) { this->state_.checked().set_value(std::move(value)); }
  /// The same, but ready only when the running fiber or kernel thread ends. @throws as above;
  /// std::bad_alloc, std::system_error, and nothing was stored
  void set_value_at_thread_exit(const T& value) { this->state_.checked().set_value_at_exit(value); }
  /// @copydoc set_value_at_thread_exit
  void set_value_at_thread_exit(T&& value) {
    this->state_.checked().set_value_at_exit(std::move(value));
  }
};
/// For a reference.
template <class T>
class promise<T&> : public detail::basic_promise<T&> {
 public:
  using detail::basic_promise<T&>::basic_promise;
  /// Makes the future ready. @throws std::future_error promise_already_satisfied, no_state
  void set_value(T& value) { this->state_.checked().set_value(value); }
  /// The same, but ready only when the running fiber or kernel thread ends. @throws as above;
  /// std::bad_alloc, std::system_error, and nothing was stored
  void set_value_at_thread_exit(T& value) { this->state_.checked().set_value_at_exit(value); }
};
/// For the bare event.
template <>
class promise<void> : public detail::basic_promise<void> {
 public:
  using detail::basic_promise<void>::basic_promise;
  /// Makes the future ready. @throws std::future_error promise_already_satisfied, no_state
  void set_value() { state_.checked().set_value(); }
  /// The same, but ready only when the running fiber or kernel thread ends. @throws as above;
  /// std::bad_alloc, std::system_error, and nothing was stored
  void set_value_at_thread_exit() { state_.checked().set_value_at_exit(); }
};

/// Exchanges what they hold.
template <class T>
void swap(promise<T>& a, promise<T>& b) noexcept {
  a.swap(b);
}

template <class T>
shared_future<T> future<T>::share() noexcept {
  return detail::future_access::make_shared<T>(std::move(this->state_));
}
}  // namespace weft

/// A promise takes an allocator as its first argument.
template <class T, class Allocator>
struct std::uses_allocator<weft::promise<T>, Allocator> : std::true_type {};

#include <weft/detail/async_impl.hpp>
#include <weft/detail/packaged_task_impl.hpp>
