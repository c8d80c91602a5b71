#pragma once
#include <coroutine>

namespace weft::test {
// Runs by itself up to its first wait; whoever has it may destroy it while it waits.
struct held_coroutine {
  struct promise_type {
    held_coroutine get_return_object() noexcept {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_always final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const { throw; }
  };
  std::coroutine_handle<promise_type> frame;
};
}  // namespace weft::test
