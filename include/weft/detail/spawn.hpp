#pragma once
// What the spawn templates need from the library: a place for the closure, and two calls around it.
#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <weft/source_site.hpp>

namespace weft {
class runtime;
struct fiber_options;

namespace detail {
struct control_block;
struct runtime_core;

inline constexpr std::size_t inline_closure = 48;

struct spawn_place {
  control_block* block;
  void* closure;  // inline_closure bytes, aligned to 16
};

// A block for a fiber to be, with a stack permit. Null options: the defaults. Throws
// std::system_error when a limit is reached.
spawn_place begin_spawn(const fiber_options* options, source_site site);
spawn_place begin_spawn(runtime_core& core, source_site site);
// The fiber will ask for its token. May throw std::bad_alloc.
void make_stop_state(control_block&);
// The closure could not be made: gives everything back.
void abandon_spawn(control_block* block) noexcept;
// From here on the fiber may run. invoke runs the closure and destroys it.
void commit_spawn(control_block* block, void (*invoke)(void* closure)) noexcept;

// All of it in one call, for a closure that is bytes, a multiple of 8 of them (not const, or gcc
// warns that those of an empty closure are not initialised). Copied eight by eight, because a wider
// load would wait until the narrower stores that made the closure have left the store buffer.
control_block* spawn_copied(std::byte* closure, std::size_t words, void (*invoke)(void* closure),
                            source_site site);

template <class Task>
inline constexpr bool fits_inline =
    sizeof(Task) <= inline_closure &&
    alignof(Task) <= 16 && std::is_nothrow_move_constructible_v<Task>;

// What of a callable may be copied as bytes.
template <class Task>
inline constexpr bool is_bytes = sizeof(Task) <= inline_closure &&
                                 alignof(Task) <= 16 && std::is_trivially_copyable_v<Task>;

template <class Task>
void invoke_inline(void* closure) {
  auto* task = static_cast<Task*>(closure);
  // Destroyed on the fiber, however it ends: its destructors may park.
  struct guard {
    Task* task;
    ~guard() { std::destroy_at(task); }
  } const destroy{task};
  static_cast<void>(std::invoke(std::move(*task)));  // an rvalue, as std::jthread has it
}

template <class Task>
void invoke_heap(void* closure) {
  const std::unique_ptr<Task> task(*static_cast<Task**>(closure));
  static_cast<void>(std::invoke(std::move(*task)));
}

// Constructs Task{make()} in the block and lets the fiber go.
template <class Make>
control_block* finish_spawn(spawn_place place, Make&& make) {
  using Task = std::invoke_result_t<Make>;
  try {
    if constexpr (fits_inline<Task>) {
      ::new (place.closure) Task(make());
    } else {
      ::new (place.closure) Task*(new Task(make()));
    }
  } catch (...) {
    abandon_spawn(place.block);
    throw;
  }
  if constexpr (fits_inline<Task>) {
    commit_spawn(place.block, invoke_inline<Task>);
  } else {
    commit_spawn(place.block, invoke_heap<Task>);
  }
  return place.block;
}
}  // namespace detail
}  // namespace weft
