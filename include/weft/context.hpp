#pragma once
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <weft/detail/address_of.hpp>
#include <weft/detail/computation.hpp>

namespace weft {
/// Thrown into a suspended computation when its context or generator is destroyed, where it has
/// yielded last. Not a std::exception on purpose, as operation_canceled. It unwinds the
/// computation, so locals are destroyed; code that catches (...) must throw it on: a computation
/// that swallows it ends the process with a line that says so.
/// @code
/// catch (const weft::context_destroyed&) { log("early"); throw; }
/// @endcode
class context_destroyed {
 public:
  /// A text for logs. Never null.
  const char* what() const noexcept { return "weft: the context was destroyed"; }

 private:
  friend void detail::throw_pending(detail::computation&);
  context_destroyed() noexcept = default;
};

/// How a context or generator is to be made. Every member has a sensible default.
/// @code
/// weft::context<int> big({.stack_size = 1 << 20}, parse);
/// @endcode
struct context_options {
  /// Bytes that the computation may use, 1 to 64 MiB, rounded up to a size class; 0: 256 KiB.
  /// Virtual memory: pages are taken when touched, the first one when the context is made.
  std::size_t stack_size = 0;
};

namespace detail {
// What resume() tells: whether it has yielded, and what.
template <class Out>
struct yielded {
  using result = std::optional<Out>;
  static result take(void* out) {
    return out ? result(std::move(*static_cast<Out*>(out))) : std::nullopt;
  }
};
template <class Out>
struct yielded<Out&> {
  using result = Out*;
  static result take(void* out) noexcept { return static_cast<Out*>(out); }
};
template <>
struct yielded<void> {
  using result = bool;
  static result take(void* out) noexcept { return out != nullptr; }
};

// The type of a parameter that is not there.
template <int which>
struct absent {
  absent() = delete;
};
// A parameter of a type that may be void.
template <class T>
using parameter = std::conditional_t<std::is_void_v<T>, absent<0>, T>;
}  // namespace detail

/// A computation on a stack of its own, that can stop in the middle and be resumed: an asymmetric
/// coroutine. What Boost.Coroutine2 has as pull_type and push_type is one class here. Works on
/// kernel threads without any runtime, inside fibers, and inside other contexts, to any depth.
///
/// The callable is called as `f(yield)`, or `f(yield, first)` where In is not void, with a
/// context::yielder& and what the first resume() was given. It begins at the first resume(), yields
/// values of type Out to whoever resumes it, receives values of type In from them, and returns
/// nothing. Either may be void, or a reference: nothing is copied then. An exception that leaves
/// it comes out of resume().
///
/// Resuming is a call, on another stack: the computation runs as part of the fiber or thread that
/// resumes it. this_fiber::get_id(), fiber_local, cancellation, deadlines, errno and the rounding
/// mode are the resumer's. Exceptions in flight are not: std::current_exception() and
/// std::uncaught_exceptions() are those of the computation alone, so either side may yield, resume
/// and destroy contexts inside handlers. On a fiber the computation may sleep, join, and do I/O:
/// the whole fiber parks, and may go on on another kernel thread.
///
/// While it is suspended, a context may be moved, and resumed from another fiber or kernel thread,
/// by one at a time. What belongs to a fiber must then not be held across a yield: this_fiber::pin,
/// deadline_scope, a lock that knows its owner.
///
/// Cost: a stack with its guard when it is made (from the worker's stock on a fiber) and a page of
/// memory while it lives; no heap allocation for callables of up to 1 KiB. Resume and yield are
/// some 5 ns together; neither takes a lock or enters the kernel.
///
/// Misuse ends the process with a line that says what was wrong: resuming a context that runs or
/// has ended or is empty; destroying or replacing one that runs; yielding from anywhere but the
/// computation itself; swallowing context_destroyed; leaving by another exception when destroyed.
/// @code
/// weft::context<std::string, int> words([](auto& yield, int n) {
///   for (;;) n = yield(std::to_string(n));         // gives a string, gets the next number
/// });
/// std::optional<std::string> w = words.resume(7);  // "7"
///
/// weft::context<int> three([](auto& yield) { for (int i = 0; i < 3; ++i) yield(i); });
/// while (auto i = three.resume()) use(*i);
/// @endcode
template <class Out = void, class In = void>
class context {
  struct body;
  static_assert(!std::is_rvalue_reference_v<Out> && !std::is_rvalue_reference_v<In>,
                "weft::context: a value, an lvalue reference or void");

 public:
  /// What the computation gives way by. Made by the library, one for each context.
  class yielder;

 private:
  template <class F>
  static constexpr bool computes =
      std::is_void_v<In> ? std::is_invocable_v<F&, yielder&>
                         : std::is_invocable_v<F&, yielder&, detail::parameter<In>>;

 public:
  /// std::optional<Out>; Out's address where it is a reference; bool where it is void. Empty, null
  /// or false: the computation has ended, and this context is empty.
  using result = typename detail::yielded<Out>::result;

  /// No computation.
  context() noexcept = default;
  /// Nothing of f runs before the first resume(). @throws std::system_error when no further stack
  /// may exist; the text names the limit.
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, context>) explicit context(F&& f)
      : context(context_options{}, std::forward<F>(f)) {}
  /// The same with options.
  template <class F>
  context(const context_options& options, F&& f)
      : computation_(detail::start_computation<body>(options.stack_size, std::forward<F>(f))) {
    static_assert(
        computes<std::decay_t<F>>,
        "weft::context: the callable takes a yielder& and, where In is not void, what the "
        "first resume() is given");
  }

  /// Leaves the other one empty.
  context(context&& other) noexcept : computation_(std::exchange(other.computation_, nullptr)) {}
  /// Destroys the computation held so far, as the destructor does.
  context& operator=(context&& other) noexcept {
    context(std::move(other)).swap(*this);
    return *this;
  }
  context(const context&) = delete;
  context& operator=(const context&) = delete;
  /// A computation that has begun and not ended is resumed once more, and finds context_destroyed
  /// thrown where it has yielded; destructors in it may park. One that has not begun is dropped.
  ~context() {
    if (computation_) detail::destroy_computation(*computation_);
  }

  /// Goes on with the computation until it yields or ends. Parks when it parks. Whatever leaves it
  /// is thrown; it has ended then.
  result resume() requires std::is_void_v<In> {
    return finish(detail::resume_computation(held(), this));
  }
  /// The same, with what the pending yield returns or, the first time, the computation's argument.
  result resume(detail::parameter<In> in) requires(!std::is_void_v<In>) {
    return finish(detail::resume_computation(held(), detail::address_of(in)));
  }
  /// Goes on with it by an exception that is thrown where it has yielded last, or before it begins.
  /// It may catch it and yield on. `error` must not be null.
  result throw_into(std::exception_ptr error) {
    return finish(detail::resume_throwing(held(), std::move(error)));
  }
  /// The same with a copy of `error`.
  template <class E>
  requires(!std::same_as<std::remove_cvref_t<E>, std::exception_ptr>) result throw_into(E&& error) {
    return throw_into(std::make_exception_ptr(std::forward<E>(error)));
  }

  /// Whether there is a computation that has not ended.
  explicit operator bool() const noexcept { return computation_ != nullptr; }
  /// Exchanges computations.
  void swap(context& other) noexcept { std::swap(computation_, other.computation_); }
  /// @copydoc swap
  friend void swap(context& a, context& b) noexcept { a.swap(b); }

 private:
  detail::computation& held() const noexcept {
    if (!computation_) [[unlikely]]
      detail::resumed_nothing("weft::context");
    return *computation_;
  }
  result finish(void* out) {
    if (!out) [[unlikely]]
      detail::finish_computation(std::exchange(computation_, nullptr));
    return detail::yielded<Out>::take(out);
  }

  detail::computation* computation_ = nullptr;
};

/// Given to the computation by reference. For use on the computation's own stack only; from a
/// context inside it, a fiber that it spawns, or code inside blocking(), yielding is caught as
/// misuse.
template <class Out, class In>
class context<Out, In>::yielder {
  static constexpr bool by_value = !std::is_void_v<Out> && !std::is_reference_v<Out>;
  using value_type = std::conditional_t<by_value, Out, detail::absent<1>>;
  using reference = std::conditional_t<std::is_reference_v<Out>, Out, detail::absent<2>>;

 public:
  /// Gives way. Returns when the context is resumed: with what resume() was given.
  /// @throws what throw_into() was given; context_destroyed when the context is destroyed.
  In operator()() requires std::is_void_v<Out> { return give(this); }
  /// The same, and resume() returns this value, moved out.
  In operator()(value_type&& value) requires by_value { return give(detail::address_of(value)); }
  /// The same, copied.
  In operator()(const value_type& value) requires by_value && std::copy_constructible<Out> {
    value_type copy(value);
    return give(detail::address_of(copy));
  }
  /// The same, and resume() returns the address. It may lie in the computation's frames.
  In operator()(reference value) requires(std::is_reference_v<Out>) {
    return give(detail::address_of(value));
  }
  yielder(const yielder&) = delete;
  yielder& operator=(const yielder&) = delete;

 private:
  friend class context;
  explicit yielder(detail::computation& of) noexcept : of_(of) {}

  In give(void* out) {
    void* const in = detail::suspend_computation(of_, out);
    if (!in) [[unlikely]]
      detail::throw_pending(of_);
    if constexpr (std::is_reference_v<In>) {
      return *static_cast<std::remove_reference_t<In>*>(in);
    } else if constexpr (!std::is_void_v<In>) {
      return std::move(*static_cast<In*>(in));
    }
  }

  detail::computation& of_;
};

/// @cond
template <class Out, class In>
struct context<Out, In>::body {
  template <class F>
  static void run(detail::computation& self, F& f, void* in) {
    yielder yield(self);
    if constexpr (std::is_void_v<In>) {
      static_cast<void>(std::invoke(f, yield));
    } else if constexpr (std::is_reference_v<In>) {
      static_cast<void>(std::invoke(f, yield, *static_cast<std::remove_reference_t<In>*>(in)));
    } else {
      static_cast<void>(std::invoke(f, yield, std::move(*static_cast<In*>(in))));
    }
  }
};
/// @endcond
}  // namespace weft
