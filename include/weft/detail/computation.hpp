#pragma once
// What the templates of <weft/context.hpp> and <weft/generator.hpp> need from the library.
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weft::detail {
// One suspended computation with its stack; see src/fiber/computation.hpp.
struct computation;

// Where a generator is. Lies on the stack of its computation.
struct generation {
  computation* leaf = nullptr;  // what goes on next: its own, or that of a generator whose elements
                                // it yields; null: there is no further element
  void* value = nullptr;        // the element; null before the first
};
generation& position_of(computation&) noexcept;

struct computation_place {
  computation* made;
  void* closure;  // as many bytes as were asked for
};

// A computation that has a stack, and nothing to run. 0: the default size. Throws std::system_error
// when a limit is reached.
computation_place make_computation(std::size_t stack_size, std::size_t closure_size,
                                   std::size_t closure_alignment);
// The closure could not be made: gives everything back.
void abandon_computation(computation&) noexcept;
// From here on it may be resumed. `run` calls the closure and destroys it; `in` is that of the
// first resume. `drop` destroys one that never ran.
void begin_computation(computation&, void (*run)(computation&, void* closure, void* in),
                       void (*drop)(void* closure) noexcept) noexcept;

// Goes on with it until it gives way: what it told, or null when it has ended. `in` is what its
// suspend_computation returns, not null.
void* resume_computation(computation&, void* in) noexcept;
// The same, but there `error` is thrown.
void* resume_throwing(computation&, std::exception_ptr error) noexcept;
// Inside it: gives way. `out` is what the resumer is told, not null. Null: throw_pending is next.
void* suspend_computation(computation&, void* out) noexcept;
[[noreturn]] void throw_pending(computation&);
// It has ended: its stack goes, and the exception that it ended by, if any, is thrown. Null: its
// object was moved from while it ran.
void finish_computation(computation*);
// The same without the exception; one that has not ended is unwound first.
void destroy_computation(computation&) noexcept;
// The object `what` has nothing to resume.
[[noreturn]] void resumed_nothing(const char* what) noexcept;

// A larger one is on the heap.
inline constexpr std::size_t closure_on_stack = 1024;

template <class F>
struct held_closure {
  F call;
  F& get() noexcept { return call; }
};
template <class F>
requires(sizeof(F) > closure_on_stack) struct held_closure<F> {
  explicit held_closure(F&& f) : call(std::make_unique<F>(std::move(f))) {}
  explicit held_closure(const F& f) : call(std::make_unique<F>(f)) {}
  std::unique_ptr<F> call;
  F& get() noexcept { return *call; }
};

// A computation that runs Run::run(computation&, F&, void* in), with F made from `f`.
template <class Run, class F>
computation* start_computation(std::size_t stack_size, F&& f) {
  using closure = held_closure<std::decay_t<F>>;
  const computation_place place = make_computation(stack_size, sizeof(closure), alignof(closure));
  try {
    ::new (place.closure) closure{std::forward<F>(f)};
  } catch (...) {
    abandon_computation(*place.made);
    throw;
  }
  begin_computation(
      *place.made,
      [](computation& self, void* of, void* in) {
        auto* const mine = static_cast<closure*>(of);
        // Destroyed in the context, however it ends.
        struct guard {
          closure* mine;
          ~guard() { std::destroy_at(mine); }
        } const destroy{mine};
        if (!in) throw_pending(self);
        Run::run(self, mine->get(), in);
      },
      [](void* of) noexcept { std::destroy_at(static_cast<closure*>(of)); });
  return place.made;
}
}  // namespace weft::detail
