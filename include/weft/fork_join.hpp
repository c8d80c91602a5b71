#pragma once
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <weft/detail/address_of.hpp>
#include <weft/detail/fork.hpp>
#include <weft/runtime.hpp>

namespace weft {
/// Calls every f, perhaps at the same time, and returns when all have returned.
///
/// The caller runs the first one itself, and then the others, in order, unless other workers with
/// nothing to do have taken them meanwhile, the last one first: so a branch that nobody takes costs
/// a function call and some nanoseconds, and recursion down to the smallest piece is what it is
/// made for. A branch that is taken, or whose siblings park, yield or enter blocking() before it
/// has begun, becomes a fiber; branches may wait for one another. When less than half of the
/// caller's stack is left, every branch becomes a fiber. So a branch has half a stack at least.
///
/// The first exception that leaves a branch stops the others: those not begun are skipped, and
/// cancellation points in those that run throw operation_canceled. It is rethrown when all have
/// settled.
///
/// A branch sees the caller's cancellation and deadline, and is shielded if the caller is,
/// whoever runs it. fork_join itself is not a cancellation point. Unspecified in a branch are
/// this_fiber::get_id(), the fiber's name, fiber_local, pins, floating-point control words and
/// which fiber owns a mutex locked there; a stop token got there tells of the caller's stop, and
/// perhaps of a sibling's failure.
///
/// On a kernel thread it runs in weft::run, on the default runtime.
/// @throws what a branch threw; on a kernel thread also what weft::run throws
/// @code
/// std::uint64_t fib(int n) {
///   if (n < 2) return n;
///   std::uint64_t a, b;
///   weft::fork_join([&] { a = fib(n - 1); }, [&] { b = fib(n - 2); });
///   return a + b;
/// }
/// @endcode
template <class... F>
void fork_join(F&&... f);

namespace detail {
template <class F>
void run_branch(void* callable) {
  using object = std::remove_reference_t<F>;
  if constexpr (std::is_function_v<object>) {
    static_cast<void>(reinterpret_cast<object*>(callable)());
  } else {
    static_cast<void>(std::invoke(static_cast<F&&>(*static_cast<object*>(callable))));
  }
}
template <class F, std::size_t Index>
inline constexpr branch_code code_of{run_branch<F>, Index};

template <std::size_t Size>
struct fork_call {
  fork_frame frame;
  branch branches[Size];

  template <std::size_t Index, class F>
  [[gnu::always_inline]] void put(F&& f) noexcept {
    branches[Index] = {&code_of<F, Index>, address_of(f)};
  }
  // Runs a branch while others are out.
  template <std::size_t Next, class F>
  [[gnu::always_inline]] void guarded(F&& f) {
    try {
      static_cast<void>(std::invoke(std::forward<F>(f)));
    } catch (...) {
      abandon_branches(frame, branches + Next, Size - Next);
    }
  }
  template <std::size_t Index, class F, class... Rest>
  [[gnu::always_inline]] void finish(F&& f, Rest&&... rest) {
    if constexpr (sizeof...(Rest) == 0) {
      if (!claim_last_branch(frame)) [[unlikely]]
        return join_branches(frame, branches + Index, Size - Index);
      static_cast<void>(std::invoke(std::forward<F>(f)));
    } else {
      if (!claim_branch(frame)) [[unlikely]]
        return join_branches(frame, branches + Index, Size - Index);
      guarded<Index + 1>(std::forward<F>(f));
      finish<Index + 1>(std::forward<Rest>(rest)...);
    }
  }
  template <class First, class... Rest, std::size_t... Index>
  [[gnu::always_inline]] void run(std::index_sequence<Index...>, First&& first, Rest&&... rest) {
    (put<Index + 1>(std::forward<Rest>(rest)), ...);
    fork_way way;
    if constexpr (sizeof...(Rest) == 1)
      way = begin_fork(fork_thread(), frame, branches + 1);
    else
      way = begin_fork(fork_thread(), frame, branches + 1, sizeof...(Rest));
    if (way == fork_way::no_fiber) [[unlikely]] {
      return weft::run([&] { fork_join(std::forward<First>(first), std::forward<Rest>(rest)...); });
    }
    if (way == fork_way::crowded) [[unlikely]] {
      put<0>(std::forward<First>(first));
      spawn_branches(frame, branches, Size);
      return join_branches(frame, branches, Size);
    }
    guarded<1>(std::forward<First>(first));
    finish<1>(std::forward<Rest>(rest)...);
  }
};
}  // namespace detail

template <class... F>
void fork_join(F&&... f) {
  static_assert((std::is_invocable_v<F> && ...),
                "weft::fork_join: each is called without arguments");
  if constexpr (sizeof...(F) == 1) {
    (static_cast<void>(std::invoke(std::forward<F>(f))), ...);
  } else if constexpr (sizeof...(F) > 1) {
    detail::fork_call<sizeof...(F)> call;
    call.run(std::make_index_sequence<sizeof...(F) - 1>(), std::forward<F>(f)...);
  }
}
}  // namespace weft
